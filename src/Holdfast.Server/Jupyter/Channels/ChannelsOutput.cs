using System.Collections.Concurrent;
using Holdfast.Engine.Kernels.Clients;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// One loop that writes all a client gets: 1. between messages, what we say ourselves: pongs, pings, statuses, the close; 2. what the
/// kernel says, from the client's cursor, as long as there is any; 3. then what was gathered leaves, and the session's mark is set behind
/// it; 4. then it waits. Nothing waits in memory for a client that does not read.
/// </summary>
internal sealed class ChannelsOutput : IDisposable
{
    /// <summary>Frames of our own that a client may leave unread before it is given up: only answers to what it asks make more.</summary>
    private const int OwnFramesMax = 256;

    /// <summary>
    /// Bytes written on the thread that brought the news, before the rest goes on elsewhere: the link has others to serve.
    /// </summary>
    private const int InlineBytesMax = 512 * 1024;

    private readonly KernelClient _client;
    private readonly IFraming _framing;
    private readonly JournalWake _wake;
    private readonly FrameWriter _writer;
    private readonly ClientWire _wire;
    private readonly FramePlan _plan = new();
    private readonly ConcurrentQueue<byte[]> _own = new();
    private volatile byte[]? _close;
    private volatile bool _isStopped;
    private volatile bool _isWriting;
    private bool _isInMessage;
    private bool _isSkipping;
    private SessionPlace _noted;
    private bool _isNoted;

    public ChannelsOutput(KernelClient client, ClientWire wire, IFraming framing, JournalWake wake, TimeProvider time)
    {
        (_client, _wire, _framing, _wake) = (client, wire, framing, wake);
        _writer = new FrameWriter(wire, Sent);
        Messages = new ServerMessages(framing, time);
        Start = Here(0);
        client.Mark.Set(Start); // A session exists from its first connection on, whether or not the kernel has said anything.
    }

    public ServerMessages Messages { get; }

    /// <summary>Where this connection began.</summary>
    public SessionPlace Start { get; }

    /// <summary>
    /// True while the client does not take what is sent: then it can hear no ping either, and its TCP alone says whether it is there.
    /// </summary>
    public bool IsHeldUp => _isWriting;

    /// <summary>True once we have begun to end the connection: a client's close is then the answer to ours.</summary>
    public bool IsClosing => _close is not null;

    /// <summary>Puts a frame of our own in, before the next message.</summary>
    public void Say(byte[] frame)
    {
        if (_own.Count >= OwnFramesMax)
        {
            Close(CloseCode.PolicyViolation, "It asks much and reads nothing.");
            return;
        }

        _own.Enqueue(frame);
        _wake.SignalInline();
    }

    /// <summary>Ends with this close frame after the message that is being written. The first close holds.</summary>
    public void Close(int code, string reason)
    {
        _close ??= WebSocketFrame.Close(code, reason);
        _wake.SignalInline();
    }

    public void CloseAsAsked(ReadOnlySpan<byte> payload)
    {
        _close ??= WebSocketFrame.Control(Opcode.Close, payload);
        _wake.SignalInline();
    }

    /// <summary>Ends without another word: nobody is there.</summary>
    public void Stop()
    {
        _isStopped = true;
        _wake.SignalInline();
    }

    public async Task RunAsync()
    {
        long inlineFrom = 0;
        while (!_isStopped)
        {
            if (!_isInMessage && await SayOwnAsync())
            {
                return;
            }

            switch (_client.Cursor.Read())
            {
                case CursorNews.Piece:
                    await PassOnAsync();
                    break;
                case CursorNews.Cut when _isInMessage:
                    _client.Mark.Set(Here(_wire.SentBytes));
                    return; // In the middle of a frame there is nothing left but to hang up; the client comes back behind it.
                case CursorNews.Cut:
                    _isSkipping = false;
                    break;
                case CursorNews.Restarting:
                    await TellAsync("restarting");
                    Note();
                    break;
                case CursorNews.Dead:
                    await TellAsync("dead");
                    break;
                default:
                    if (!_writer.IsEmpty)
                    {
                        await FlushAsync();
                    }
                    else if (_own.IsEmpty && _close is null)
                    {
                        await _wake.WaitAsync();
                        inlineFrom = _wire.SentBytes;
                    }
                    else if (_isInMessage && _close is not null)
                    {
                        return;
                    }

                    break;
            }

            if (_wire.SentBytes - inlineFrom > InlineBytesMax)
            {
                await Task.Yield();
                inlineFrom = long.MaxValue;
            }
        }
    }

    public void Dispose() => _writer.Dispose();

    /// <summary>True when the close was among it.</summary>
    private async ValueTask<bool> SayOwnAsync()
    {
        while (_own.TryDequeue(out byte[]? frame))
        {
            await AddAsync(frame);
        }

        if (_close is not { } close)
        {
            return false;
        }

        await AddAsync(close);
        await FlushAsync();
        return true;
    }

    private async ValueTask PassOnAsync()
    {
        MessagePieces pieces = _client.Cursor.Pieces;
        if (_isSkipping || (!_isInMessage && !_client.Wants(pieces.Channel, pieces.Shape.Parent(pieces.Payload.Span))))
        {
            _isSkipping = !pieces.IsLast;
            return;
        }

        _isWriting = true;
        if (!_isInMessage)
        {
            _framing.Plan(_plan, pieces.Channel, pieces.Shape, pieces.Shape.Header(pieces.Payload.Span));
            await _writer.BeginAsync(_plan, pieces.Shape);
            _isInMessage = true;
        }

        await _writer.WriteAsync(pieces.Piece, pieces.IsLast);
        _isWriting = false;
        if (pieces.IsLast)
        {
            _isInMessage = false;
            Note();
        }
    }

    private SessionPlace Here(long sentBytes) =>
        new(_client.Cursor.Attempt.Value, _client.Cursor.Pieces.Position, sentBytes, _client.Cursor.IsEndTold);

    private void Note()
    {
        _noted = Here(_writer.WrittenBytes);
        _isNoted = true;
        _wire.Note(_noted);
        if (_writer.IsEmpty)
        {
            Sent(); // A large one, which is gone already.
        }
    }

    /// <summary>
    /// 3. Right after the system has taken it: if the server is killed between the two, the client gets what it was sent in this moment
    /// once more.
    /// </summary>
    private void Sent()
    {
        if (_isNoted && _noted.SentBytes <= _writer.SentBytes)
        {
            _isNoted = false;
            _client.Mark.Set(_noted);
        }
    }

    private ValueTask TellAsync(string state) =>
        AddAsync(Messages.Status(state, KernelVoice.SessionOf(_client.Cursor.JournalOfEnded), death: _client.Cursor.Death));

    private async ValueTask AddAsync(byte[] frame)
    {
        _isWriting = true;
        await _writer.AddAsync(frame);
        _isWriting = false;
    }

    private async ValueTask FlushAsync()
    {
        _isWriting = true;
        await _writer.FlushAsync();
        _isWriting = false;
    }
}
