using System.Text.Json;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels.Life;

/// <summary>
/// What a kernelspec's metadata says about the life of its kernels: <c>cull_idle_timeout</c>, in seconds, as Jupyter has it, and
/// <c>{"holdfast": {"memoryBytes": N, "cpus": N}}</c>. What is not a positive number is taken for absent, except a cull_idle_timeout of 0:
/// never.
/// </summary>
internal static class KernelMetadata
{
    public static TimeSpan? CullIdleTimeout(KernelSpec spec)
    {
        using JsonDocument metadata = JsonDocument.Parse(spec.MetadataJson);
        return
            metadata.RootElement.TryGetProperty("cull_idle_timeout", out JsonElement timeout)
            && timeout.ValueKind == JsonValueKind.Number
            && timeout.TryGetDouble(out double seconds)
            && seconds is >= 0 and < int.MaxValue
            ? TimeSpan.FromSeconds(seconds)
            : null;
    }

    public static long? MemoryBytesMax(KernelSpec spec)
    {
        using JsonDocument metadata = JsonDocument.Parse(spec.MetadataJson);
        return
            metadata.RootElement.TryGetProperty("holdfast", out JsonElement ours)
            && ours.ValueKind == JsonValueKind.Object
            && ours.TryGetProperty("memoryBytes", out JsonElement memory)
            && memory.ValueKind == JsonValueKind.Number
            && memory.TryGetInt64(out long bytes)
            && bytes > 0
            ? bytes
            : null;
    }

    public static long? CpuMillisMax(KernelSpec spec)
    {
        using JsonDocument metadata = JsonDocument.Parse(spec.MetadataJson);
        return
            metadata.RootElement.TryGetProperty("holdfast", out JsonElement ours)
            && ours.ValueKind == JsonValueKind.Object
            && ours.TryGetProperty("cpus", out JsonElement cpus)
            && cpus.ValueKind == JsonValueKind.Number
            && cpus.TryGetDouble(out double number)
            ? KernelCpus.ToMillis(number)
            : null;
    }
}
