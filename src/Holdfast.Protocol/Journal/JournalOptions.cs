namespace Holdfast.Protocol.Journal;

/// <summary>The writer's sizes. Readers need none of them.</summary>
public sealed class JournalOptions
{
    public static readonly JournalOptions Default = new();

    /// <summary>
    /// Bytes at which a segment is closed and the next begun. Default 64 MiB: a scan of one, the most that recovery reads,
    /// takes some 30 ms, and 1 GiB of output makes 16 files.
    /// </summary>
    public long SegmentBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Payload bytes of a record before it is split; at most <see cref="JournalFormat.PayloadBytesMax"/>, the default.</summary>
    public int PayloadBytes { get; init; } = JournalFormat.PayloadBytesMax;
}
