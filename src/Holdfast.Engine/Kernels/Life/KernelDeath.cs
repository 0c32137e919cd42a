using System.Text;
using System.Text.Json;
using Holdfast.Protocol.Attempts;

namespace Holdfast.Engine.Kernels.Life;

/// <summary>
/// How a kernel came to its end without being asked. The cause is one of <see cref="ExitCause"/>, or <see cref="Lost"/>; at most one of
/// exit code and signal is set.
/// </summary>
public sealed record KernelDeath(string Cause, int? ExitCode, int? Signal, string Reason, long At)
{
    /// <summary>Its supervisor is gone, and with it whoever could know.</summary>
    public const string Lost = "lost";

    /// <summary>"SIGSEGV"; null when no signal ended it.</summary>
    public string? SignalName => Signal is { } signal ? KernelSignals.Name(signal) : null;

    public static KernelDeath Of(ExitRecord exit) =>
        new(exit.Cause, exit.ExitCode, exit.Signal, exit.Reason, UnixTime.FromNanoseconds(exit.AtUnixNanoseconds));

    /// <summary>The fields, into an object that the caller has begun; those of REST, of the feed and of the store.</summary>
    public void WriteFields(Utf8JsonWriter writer)
    {
        writer.WriteString("cause", Cause);
        writer.WriteNumberOrNull("exitCode", ExitCode);
        writer.WriteNumberOrNull("signal", Signal);
        writer.WriteString("signalName", SignalName);
        writer.WriteString("reason", Reason);
    }

    internal string ToJson()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            WriteFields(writer);
            writer.WriteNumber("at", At);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    internal static KernelDeath FromJson(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        return new KernelDeath(
            root.GetProperty("cause").GetString()!,
            Number(root, "exitCode"),
            Number(root, "signal"),
            root.GetProperty("reason").GetString()!,
            root.GetProperty("at").GetInt64()
        );
    }

    private static int? Number(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;
}
