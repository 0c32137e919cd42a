using Holdfast.Protocol.Jupyter;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// Asks a kernel for its kernel_info until it has answered and something was heard on IOPub, since only then is the subscription known to
/// be live, and its stdin has met ours.
/// </summary>
internal sealed class KernelReadiness : IDisposable
{
    // The first answer may come before our subscription has reached the kernel: then ask again soon. No answer at all means it still
    // starts, or lost the question.
    private const int NudgeAfterAnswerMs = 200;
    private const int NudgeMs = 1000;

    // A kernel that never takes input need not open its stdin socket at all: after a second of answers it is taken as it is.
    private const int AnswersWithoutStdinMax = 5;

    private readonly KernelOutbox _outbox;
    private readonly SupervisorMessages _messages;
    private readonly ConnectionWatch _stdinWatch;
    private readonly LoopTimer _nudge;
    private readonly LoopCallback _becameReady;
    private int _answerCount;

    /// <param name="becameReady">Called once.</param>
    public KernelReadiness(PollLoop loop, KernelSockets sockets, KernelOutbox outbox, SupervisorMessages messages, LoopCallback becameReady)
    {
        (_outbox, _messages, _becameReady) = (outbox, messages, becameReady);
        _stdinWatch = new ConnectionWatch(loop, sockets.Context, sockets.Stdin, "stdin", Check);
        _nudge = loop.AddTimer(Ask);
    }

    /// <summary>The kernel has answered and its output is heard.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Something came on IOPub.</summary>
    public bool IsIoPubLive { get; private set; }

    /// <summary>The kernel need not listen yet: libzmq keeps the question until it does.</summary>
    public void Ask()
    {
        if (!IsReady)
        {
            _outbox.Send(KernelChannel.Shell, _messages.Request("kernel_info_request", []));
            _nudge.Start(NudgeMs);
        }
    }

    /// <summary>Asks no more.</summary>
    public void Stop() => _nudge.Stop();

    public void NoteIoPub()
    {
        IsIoPubLive = true;
        Check();
    }

    /// <param name="kernelInfo">The content of a kernel_info_reply, ours or a client's.</param>
    public void NoteAnswer(ReadOnlySpan<byte> kernelInfo)
    {
        if (_answerCount == 0 && IpykernelSettings.IsFor(kernelInfo))
        {
            _outbox.Send(KernelChannel.Shell, _messages.Request("execute_request", IpykernelSettings.Content()));
        }

        _answerCount++;
        Check();
    }

    public void Dispose()
    {
        _nudge.Remove();
        _stdinWatch.Dispose();
    }

    private void Check()
    {
        if (IsReady || _answerCount == 0)
        {
            return;
        }

        if (!IsIoPubLive || (!_stdinWatch.IsConnected && _answerCount < AnswersWithoutStdinMax))
        {
            _nudge.Start(NudgeAfterAnswerMs);
            return;
        }

        IsReady = true;
        _nudge.Stop();
        _becameReady();
    }
}
