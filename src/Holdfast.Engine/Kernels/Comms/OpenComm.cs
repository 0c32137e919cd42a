using System.Collections.Immutable;

namespace Holdfast.Engine.Kernels.Comms;

/// <summary>Binary bytes of a widget's state.</summary>
/// <param name="Path">Where in the state they belong: a JSON array of names and indices, as it was sent.</param>
public sealed record CommBuffer(string Key, ReadOnlyMemory<byte> Path, ReadOnlyMemory<byte> Bytes);

/// <summary>
/// A comm that both ends hold open, as the kernel's journal tells it: who it is for, and, of a widget, its state with every update applied.
/// Both sides' updates count, in the order of the journal, which is the order in which the kernel got or said them.
/// </summary>
public sealed record OpenComm(string Id, string TargetName, string? TargetModule, long OpenedAt, string MessageId)
{
    /// <summary>When it last said or was told something, microseconds since 1970.</summary>
    public long ChangedAt { get; init; } = OpenedAt;

    /// <summary>How many messages came after the first.</summary>
    public long Messages { get; init; }

    /// <summary>What it was opened with, JSON; empty for widgets, whose state has it.</summary>
    public ReadOnlyMemory<byte> OpeningJson { get; init; }

    /// <summary>Of a widget: JSON by name; null for others.</summary>
    public ImmutableSortedDictionary<string, ReadOnlyMemory<byte>>? State { get; init; }

    public ImmutableList<CommBuffer> Buffers { get; init; } = [];

    /// <summary>Its state was more than is kept, and is not here.</summary>
    public bool IsTruncated { get; init; }

    /// <summary>What is kept of it, in bytes.</summary>
    internal long Bytes =>
        OpeningJson.Length + (State?.Sum(static s => (long)s.Value.Length) ?? 0) + Buffers.Sum(static b => (long)b.Bytes.Length);
}
