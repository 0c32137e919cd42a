using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>Told of a request that has its idle and gets no reply: the header that it had.</summary>
internal delegate void ReplyLostCallback(byte[] requestHeader);

/// <summary>
/// An interrupt in ipykernel's own code, just before the cell's, ends the request there: it says idle and never replies. Of requests that
/// were interrupted this notes whether the reply has come, and gives up some while after the idle. Of any other request a reply is waited
/// for without end.
/// </summary>
internal sealed class LostReplies
{
    /// <summary>A kernel replies before its idle, on another socket.</summary>
    public const int GraceMs = 2000;

    private const int InterruptedMax = 16;

    private readonly ReplyLostCallback _lost;
    private readonly LoopTimer _timer;
    private readonly List<Interrupted> _interrupted = [];

    public LostReplies(PollLoop loop, ReplyLostCallback lost)
    {
        _lost = lost;
        _timer = loop.AddTimer(GiveUp);
    }

    public void NoteInterrupt(byte[] messageId)
    {
        if (IndexOf(messageId) < 0)
        {
            if (_interrupted.Count == InterruptedMax)
            {
                _interrupted.RemoveAt(0);
            }

            _interrupted.Add(new Interrupted(messageId));
        }
    }

    public void NoteReply(ReadOnlySpan<byte> messageId)
    {
        if (IndexOf(messageId) is >= 0 and var i)
        {
            _interrupted.RemoveAt(i);
        }
    }

    public void NoteIdle(ReadOnlySpan<byte> messageId, ReadOnlySpan<byte> requestHeader)
    {
        if (IndexOf(messageId) is >= 0 and var i)
        {
            _interrupted[i].Header = requestHeader.ToArray();
            _timer.Start(GraceMs);
        }
    }

    public void Stop() => _timer.Stop();

    public void Remove() => _timer.Remove();

    private void GiveUp()
    {
        for (int i = 0; i < _interrupted.Count; )
        {
            if (_interrupted[i].Header is { } header)
            {
                _interrupted.RemoveAt(i);
                _lost(header);
            }
            else
            {
                i++;
            }
        }
    }

    private int IndexOf(ReadOnlySpan<byte> messageId)
    {
        for (int i = 0; i < _interrupted.Count; i++)
        {
            if (messageId.SequenceEqual(_interrupted[i].MessageId))
            {
                return i;
            }
        }

        return -1;
    }

    private sealed class Interrupted(byte[] messageId)
    {
        public byte[] MessageId { get; } = messageId;

        /// <summary>Known from its idle on.</summary>
        public byte[]? Header { get; set; }
    }
}
