using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// What an interrupt is aimed at, from the wish for it to the end of the request that it is for: which request
/// (<see cref="InterruptTargets"/>), when (<see cref="InterruptPursuit"/>), and whether it took the request's reply with it
/// (<see cref="LostReplies"/>). Follows what the kernel says of each request; gives no interrupt itself.
/// </summary>
internal sealed class KernelInterrupts
{
    private readonly PollLoop _loop;
    private readonly InterruptTargets _targets = new();
    private readonly InterruptPursuit _pursuit;
    private readonly LostReplies _lostReplies;

    /// <param name="due">The kernel is at the code of a request that is to be interrupted, or may not have heard it.</param>
    /// <param name="replyLost">An interrupted request has ended and gets no reply.</param>
    public KernelInterrupts(PollLoop loop, LoopCallback due, ReplyLostCallback replyLost)
    {
        _loop = loop;
        _pursuit = new InterruptPursuit(loop, due);
        _lostReplies = new LostReplies(loop, replyLost);
    }

    /// <summary>True when the kernel has said busy for something, and neither replied nor said idle.</summary>
    public bool IsAtRequest => _targets.IsAny;

    /// <summary>True when the kernel is at this request now.</summary>
    public bool IsAt(ReadOnlySpan<byte> messageId) => _targets.RunningSinceMs(messageId) is not null;

    /// <summary>
    /// True when the kernel is at this request now, which is to be followed by <see cref="Pursue"/>; else it is remembered for when it is.
    /// </summary>
    public bool Want(byte[] messageId) => _targets.Want(messageId);

    /// <summary>True when the request that the kernel is at may be interrupted now; else it is called due when it may.</summary>
    public bool Pursue(byte[] messageId) => _pursuit.Begin(messageId, _targets.RunningSinceMs(messageId) ?? 0);

    /// <summary>An interrupt is given: it hits whatever the kernel is at.</summary>
    public void NoteInterrupt()
    {
        foreach (byte[] running in _targets.Running)
        {
            _lostReplies.NoteInterrupt(running);
        }
    }

    public void NoteBusy(ReadOnlySpan<byte> messageId)
    {
        if (_targets.NoteBusy(messageId, _loop.NowMs))
        {
            _ = _pursuit.Begin(messageId, _loop.NowMs);
        }
    }

    /// <summary>The kernel has said of a request that its code is about to run.</summary>
    public void NoteInput(ReadOnlySpan<byte> messageId) => _pursuit.NoteInput(messageId);

    /// <param name="executeHeader">The request's header, of an execute_request; empty for any other.</param>
    public void NoteIdle(ReadOnlySpan<byte> messageId, ReadOnlySpan<byte> executeHeader)
    {
        NoteEnd(messageId);
        if (!executeHeader.IsEmpty)
        {
            _lostReplies.NoteIdle(messageId, executeHeader);
        }
    }

    public void NoteReply(ReadOnlySpan<byte> messageId)
    {
        NoteEnd(messageId);
        _lostReplies.NoteReply(messageId);
    }

    /// <summary>Nothing more is waited for of a request.</summary>
    public void NoteEnd(ReadOnlySpan<byte> messageId)
    {
        _targets.NoteEnd(messageId);
        _pursuit.NoteEnd(messageId);
    }

    public void Stop()
    {
        _pursuit.Stop();
        _lostReplies.Stop();
    }

    public void Remove()
    {
        _pursuit.Remove();
        _lostReplies.Remove();
    }
}
