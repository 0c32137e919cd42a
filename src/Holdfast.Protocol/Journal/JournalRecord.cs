namespace Holdfast.Protocol.Journal;

/// <summary>One record as read. The payload lies in the reader's buffer and is valid until the reader's next call.</summary>
public readonly struct JournalRecord
{
    /// <summary>Where the record starts in the journal.</summary>
    public required long Position { get; init; }

    /// <summary>Where the next one starts: the position to store in order to go on after this record.</summary>
    public required long NextPosition { get; init; }

    public required JournalChannel Channel { get; init; }

    public required JournalFlags Flags { get; init; }

    public required long UnixNanoseconds { get; init; }

    /// <summary>Payload bytes of this channel before this record, in the whole journal.</summary>
    public required long StreamOffset { get; init; }

    public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>The record's CRC32C, by which an index entry proves that it speaks of this very record.</summary>
    internal uint Checksum { get; init; }
}
