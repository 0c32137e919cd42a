using Holdfast.Protocol.Journal;

namespace Holdfast.Tests.Journal;

/// <summary>A record kept past the reader's next call, with its payload as hex so that two of them compare by value.</summary>
internal sealed record ReadRecord(
    long Position,
    long NextPosition,
    JournalChannel Channel,
    JournalFlags Flags,
    long UnixNanoseconds,
    long StreamOffset,
    string Payload
)
{
    public static ReadRecord Of(in JournalRecord record) =>
        new(
            record.Position,
            record.NextPosition,
            record.Channel,
            record.Flags,
            record.UnixNanoseconds,
            record.StreamOffset,
            Convert.ToHexString(record.Payload.Span)
        );
}
