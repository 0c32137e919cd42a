using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>Told of each piece of the content of large output that is not put together.</summary>
internal delegate void LargePieceCallback(LargeMessage message, ReadOnlySpan<byte> content);

/// <summary>
/// Puts a kernel's messages together from the records of its journal. Output that lies in several records and that nobody here wants whole
/// is not: of it, header, parent and metadata are kept and what a terminal would show is counted, piece by piece, so that 100 MB of output
/// cost no memory.
/// </summary>
internal sealed class MessageJoiner(Func<LargeMessage, bool> wantsWhole, LargePieceCallback? tookPiece = null)
{
    private readonly PayloadJoiner _joiner = new(KernelLimits.MessageBytesMax);
    private readonly Dictionary<JournalChannel, long> _firstPieces = [];
    private LargeMessage? _large; // On IOPub, while it is counted.
    private JsonTextFinder? _counter;

    /// <summary>Where the oldest message begins that is not whole yet.</summary>
    public long OldestPosition => _firstPieces.Count == 0 ? long.MaxValue : _firstPieces.Values.Min();

    /// <summary>Takes one record of a message; true when it was the last one. The message is valid until the next call.</summary>
    public bool TryTake(in JournalRecord record, out KernelMessage message)
    {
        message = default;
        if ((record.Flags & JournalFlags.Continued) == 0)
        {
            _firstPieces[record.Channel] = record.Position;
            if (record.Channel == JournalChannel.IoPub)
            {
                Begin(record);
            }
        }

        if (record.Channel == JournalChannel.IoPub && _large is not null)
        {
            return TryCount(record, _large, out message);
        }

        PayloadState state = _joiner.Join(record, out ReadOnlyMemory<byte> payload);
        if (
            state == PayloadState.Incomplete
            || !_firstPieces.Remove(record.Channel, out long position)
            || state != PayloadState.Whole
            || JupyterMessage.TryParse(payload) is not { } whole
        )
        {
            return false;
        }

        message = new KernelMessage(record.Channel, whole, record.UnixNanoseconds, position, record.NextPosition);
        return true;
    }

    private bool TryCount(in JournalRecord record, LargeMessage large, out KernelMessage message)
    {
        message = default;
        ReadOnlySpan<byte> content = large.Take(record.Payload.Span);
        _counter?.Add(content);
        tookPiece?.Invoke(large, content);
        if ((record.Flags & JournalFlags.Continues) != 0)
        {
            return false;
        }

        long said = _counter?.Count is { } count ? count + CellOutputText.ExtraBytes(large.Head.MessageType) : 0;
        (_large, _counter) = (null, null);
        _firstPieces.Remove(record.Channel, out long position);
        message = new KernelMessage(record.Channel, large.Head, record.UnixNanoseconds, position, record.NextPosition)
        {
            IsPartial = true,
            SaidBytes = said,
        };
        return true;
    }

    /// <summary>
    /// A message is put together whole when it lies in one record, when somebody wants it so, or when there is more to count than one text.
    /// </summary>
    private void Begin(in JournalRecord record)
    {
        (_large, _counter) = (null, null);
        if (LargeMessage.Begin(record) is { } large && large.Head.MessageType != "error" && !wantsWhole(large))
        {
            (_large, _counter) = (large, CellOutputText.FinderOf(large.Head.MessageType, into: null));
        }
    }
}
