using System.Buffers;
using System.Text;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// A cell's output as bytes: its messages in the kernel's journal, from its request on, as the text a terminal would have shown. Text of a
/// message that the journal holds in pieces is given piece by piece.
/// </summary>
internal sealed class CellOutput : OutputReading
{
    private readonly string? _journal;
    private readonly string _id; // Of its request.
    private readonly OutputStream _stream;
    private readonly bool _isTerminal;
    private readonly long _startPosition;
    private readonly long _endPosition;
    private readonly PayloadJoiner _joiner = new(KernelLimits.MessageBytesMax);
    private readonly ArrayBufferWriter<byte> _piece = new();
    private LargeMessage? _large; // Whose text is being given.
    private JsonTextFinder? _finder;
    private JournalReader? _reader;
    private long _skip;
    private long _offset;
    private bool _hasReadEnd;
    private bool _isIdle;
    private bool _hasReply;

    public CellOutput(LiveAttempt? live, string? journal, Execution execution, OutputStream stream, long offset)
        : base(live)
    {
        (_journal, _id, _stream) = (journal, execution.MessageId ?? execution.Id.Value, stream);
        (_startPosition, _endPosition) = (execution.StartPosition, execution.EndPosition);
        _isTerminal = execution.State.IsSettled();
        (_skip, _offset) = (offset, offset);
    }

    public override long Offset => _offset;

    public override long Lag =>
        _journal is not null && _reader is { } reader
            ? Math.Max(0, (_isTerminal ? _endPosition : JournalFormat.EndOf(_journal)) - reader.Position)
            : 0;

    public override bool IsComplete => _isTerminal;

    protected override bool HasReadEnd => _hasReadEnd;

    protected override bool TryTake(out ReadOnlyMemory<byte> bytes)
    {
        while (!_hasReadEnd && TryNext(out ReadOnlyMemory<byte> said))
        {
            if (_skip >= said.Length)
            {
                _skip -= said.Length;
                continue;
            }

            bytes = said[(int)_skip..];
            _skip = 0;
            _offset += bytes.Length;
            return true;
        }

        bytes = default;
        return false;
    }

    public override void Dispose() => _reader?.Dispose();

    /// <summary>The next thing the cell said on the wanted stream.</summary>
    private bool TryNext(out ReadOnlyMemory<byte> said)
    {
        said = default;
        _reader ??= Open();
        while (_reader is not null && _reader.TryRead(out JournalRecord record))
        {
            if (_endPosition > 0 && record.NextPosition > _endPosition)
            {
                _hasReadEnd = true;
                return false;
            }

            if (record.Channel == JournalChannel.Event)
            {
                _hasReadEnd |= IsEnd(AttemptEvent.Read(record.Payload.Span));
            }
            else if (record.Channel == JournalChannel.IoPub && TryTakePiece(record))
            {
                said = _piece.WrittenMemory;
                if (said.Length > 0)
                {
                    return true;
                }
            }
            else if (
                record.Channel >= JournalChannel.IoPub
                && _joiner.Join(record, out ReadOnlyMemory<byte> payload) == PayloadState.Whole
                && JupyterMessage.TryParse(payload) is { } message
                && message.ParentMessageId == _id
                && Take(record.Channel, message) is { } text
            )
            {
                said = Encoding.UTF8.GetBytes(text);
                return true;
            }

            if (_hasReadEnd)
            {
                return false;
            }
        }

        return false;
    }

    /// <summary>
    /// True when this is a piece of a large message, of which what is to be given is in <see cref="_piece"/>: nothing, where it is
    /// another's.
    /// </summary>
    private bool TryTakePiece(in JournalRecord record)
    {
        _piece.ResetWrittenCount();
        if ((record.Flags & JournalFlags.Continued) == 0)
        {
            (_large, _finder) = (LargeMessage.Begin(record), null);
            if (_large is { } large && large.Head.ParentMessageId == _id)
            {
                ReadOnlySpan<byte> content = large.Take(record.Payload.Span);
                _finder = FinderOf(large.Head.MessageType, content);
                // What cannot be told by pieces is put together whole.
                _large = _finder is null && (large.Head.MessageType is "stream" or "error") ? null : large;
                _finder?.Add(content);
            }

            return _large is not null;
        }

        if (_large is null)
        {
            return false;
        }

        _finder?.Add(_large.Take(record.Payload.Span));
        if ((record.Flags & JournalFlags.Continues) == 0)
        {
            if (_finder is { Count: not null, IsKept: true } && CellOutputText.ExtraBytes(_large.Head.MessageType) > 0)
            {
                _piece.Write("\n"u8);
            }

            (_large, _finder) = (null, null);
        }

        return true;
    }

    /// <summary>Null when nothing is said, or when what, or on which stream, is known only from the whole message.</summary>
    private JsonTextFinder? FinderOf(string messageType, ReadOnlySpan<byte> beginning)
    {
        JsonTextFinder? finder = CellOutputText.FinderOf(messageType, _piece);
        if (finder is null || _stream == OutputStream.All)
        {
            return finder;
        }

        if (messageType != "stream")
        {
            return _stream == OutputStream.Stdout ? finder : CellOutputText.FinderOf(messageType, into: null);
        }

        // Whose name comes before a text that long, as all kernels send it.
        return StreamOf(beginning) is not { } name ? null
            : (name == "stderr") == (_stream == OutputStream.Stderr) ? finder
            : CellOutputText.FinderOf(messageType, into: null);
    }

    private static string? StreamOf(ReadOnlySpan<byte> beginning)
    {
        var name = new ArrayBufferWriter<byte>();
        new JsonTextFinder("name"u8.ToArray(), default, name).Add(beginning);
        return name.WrittenCount == 0 ? null : Encoding.UTF8.GetString(name.WrittenSpan);
    }

    private string? Take(JournalChannel channel, JupyterMessage message)
    {
        _hasReply |= channel == JournalChannel.Shell && message.MessageType == "execute_reply";
        _isIdle |= channel == JournalChannel.IoPub && message.MessageType == "status" && message.ExecutionState == "idle";
        _hasReadEnd |= _hasReply && _isIdle;
        return
            channel == JournalChannel.IoPub
            && CellOutputText.Of(message) is { } said
            && (_stream == OutputStream.All || said.IsError == (_stream == OutputStream.Stderr))
            ? said.Text
            : null;
    }

    private bool IsEnd(AttemptEvent journalEvent) =>
        journalEvent.Event == AttemptEvent.ExitEvent
        || (journalEvent.Event is AttemptEvent.Skipped or AttemptEvent.Gap && journalEvent.MessageId == _id);

    private JournalReader? Open() =>
        _journal is not null && Directory.Exists(_journal) ? JournalReader.Open(_journal, _startPosition) : null;

    protected override long Measure()
    {
        using var whole = new CellOutput(null, _journal, this);
        long length = 0;
        while (whole.TryNext(out ReadOnlyMemory<byte> said))
        {
            length += said.Length;
        }

        return length;
    }

    private CellOutput(LiveAttempt? live, string? journal, CellOutput like)
        : base(live) =>
        (_journal, _id, _stream, _startPosition, _endPosition, _isTerminal) = (
            journal,
            like._id,
            like._stream,
            like._startPosition,
            like._endPosition,
            like._isTerminal
        );
}
