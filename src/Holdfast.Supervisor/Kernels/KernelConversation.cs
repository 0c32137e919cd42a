using System.Globalization;
using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// Everything that is said with one kernel. 1. It is asked for its kernel_info until it has answered and something was heard on IOPub,
/// since only then is the
/// subscription known to be live, and its stdin has met ours. 2. Then the queue's requests go to it one by one, each when the one before has both its reply and its
/// idle. 3. A reply
/// whose idle does not come leaves a gap event behind, and the queue goes on. Knows nothing of processes and links.
/// </summary>
internal sealed class KernelConversation : IDisposable
{
    /// <summary>After a reply, how long IOPub may stay silent about its request before the idle is given up.</summary>
    public const int IdleGraceMs = 5000;

    // The first answer may come before our subscription has reached the kernel: then ask again soon. No answer at all means it still
    // starts, or lost the question.
    private const int NudgeAfterAnswerMs = 200;
    private const int NudgeMs = 1000;

    // A kernel that never takes input need not open its stdin socket at all: after a second of answers it is taken as it is.
    private const int AnswersWithoutStdinMax = 5;

    private readonly PollLoop _loop;
    private readonly AttemptSpec _spec;
    private readonly AttemptJournal _journal;
    private readonly JupyterSigner _signer;
    private readonly KernelSockets _sockets;
    private readonly KernelOutbox _outbox;
    private readonly KernelInbox _ioPub;
    private readonly KernelInbox _shell;
    private readonly KernelInbox _control;
    private readonly KernelInbox _stdin;
    private readonly KernelHeartbeat _heartbeat;
    private readonly ConnectionWatch _stdinWatch;
    private readonly LoopTimer _nudge;
    private readonly LoopTimer _idleGrace;
    private int _sentCount;
    private int _answerCount;
    private bool _isIoPubLive;
    private bool _isClosing;

    private readonly InterruptTargets _interrupts = new();
    private readonly InterruptPursuit _pursuit;
    private readonly LostReplies _lostReplies;
    private byte[] _kernelSession = [];

    // The input_request that waits for its reply: whose request asked, and whether the answer is a password.
    private byte[]? _inputParent;
    private bool _isInputSecret;

    public KernelConversation(PollLoop loop, AttemptSpec spec, ConnectionFile connection, AttemptJournal journal)
    {
        _loop = loop;
        _spec = spec;
        _journal = journal;
        _signer = new JupyterSigner(Encoding.UTF8.GetBytes(connection.Key));
        _sockets = new KernelSockets(connection, SessionId);
        _outbox = new KernelOutbox(loop, _sockets, _signer, journal);

        // In this order they are served within a batch: what a cell said comes before the reply that ends it.
        _ioPub = new KernelInbox(loop, _sockets.IoPub, "iopub", JournalChannel.IoPub, _signer, journal, OnIoPub) { IsSwallowed = IsWelcome };
        _stdin = new KernelInbox(loop, _sockets.Stdin, "stdin", JournalChannel.Stdin, _signer, journal, OnStdin);
        _shell = new KernelInbox(loop, _sockets.Shell, "shell", JournalChannel.Shell, _signer, journal, OnShell);
        _control = new KernelInbox(loop, _sockets.Control, "control", JournalChannel.Control, _signer, journal, () => IsSomeoneAnswered = true);
        _heartbeat = new KernelHeartbeat(loop, _sockets.Heartbeat, isAlive => HeartbeatChanged?.Invoke(isAlive));
        _stdinWatch = new ConnectionWatch(loop, _sockets.Context, _sockets.Stdin, "stdin", CheckReady);
        _nudge = loop.AddTimer(AskForInfo);
        _idleGrace = loop.AddTimer(GiveUpIdle);
        _pursuit = new InterruptPursuit(loop, () => InterruptDue?.Invoke());
        _lostReplies = new LostReplies(loop, ReplyFor);
    }

    public ExecuteQueue Queue { get; } = new();

    /// <summary>The kernel has answered and its output is heard.</summary>
    public bool IsReady { get; private set; }

    public bool IsAlive => _heartbeat.IsAlive;

    /// <summary>True when it has said busy for something, and neither replied nor said idle.</summary>
    public bool IsAtRequest => _interrupts.IsAny;

    /// <summary>True when an input_request has not been replied to.</summary>
    public bool WantsInput => _inputParent is not null;

    /// <summary>Everything taken from the kernel so far, for whoever waits until nothing more comes.</summary>
    public long TakenCount => _ioPub.TakenCount + _shell.TakenCount + _control.TakenCount + _stdin.TakenCount;

    /// <summary>Called once.</summary>
    public LoopCallback? BecameReady { get; set; }

    /// <summary>A request of the queue has both its reply and its idle, or was given up; what follows it is on its way already.</summary>
    public LoopCallback? OutcomeReached { get; set; }

    /// <summary>The kernel is at the code of a request that is to be interrupted, or may not have heard it.</summary>
    public LoopCallback? InterruptDue { get; set; }

    /// <summary>Something came that a person may be waiting for: a reply, a question, the idle that ends a cell. Cleared by who tells of it.</summary>
    public bool IsSomeoneAnswered { get; set; }

    public HeartbeatCallback? HeartbeatChanged { get; set; }

    private string SessionId => _spec.SessionId ?? _spec.Attempt;

    /// <summary>Begins to ask. The kernel need not listen yet: libzmq keeps the question until it does.</summary>
    public void Begin() => AskForInfo();

    /// <summary>Nothing more is sent from the queue: the kernel is being ended.</summary>
    public void BeginClosing()
    {
        _isClosing = true;
        _nudge.Stop();
    }

    /// <summary>The kernel is gone: what lies in the sockets is still taken, and nobody is waited for.</summary>
    public void KernelEnded()
    {
        BeginClosing();
        _idleGrace.Stop();
        _pursuit.Stop();
        _lostReplies.Stop();
        _heartbeat.Stop();
    }

    public ExecuteAnswer Offer(QueuedExecute request, long position)
    {
        ExecuteAnswer answer = Queue.Offer(request, position);
        if (answer == ExecuteAnswer.Skipped)
        {
            RecordSkipped(request, "An earlier request of its group failed.");
        }
        else if (answer == ExecuteAnswer.Queued)
        {
            SendNext();
        }

        return answer;
    }

    /// <summary>Takes requests out of the queue by id or group.</summary>
    /// <param name="isFinal">One that has not come yet is not to be taken when it comes.</param>
    public void Dequeue(string? messageId, string? group, bool isFinal)
    {
        if (isFinal && messageId is not null && Queue.Forbid(messageId))
        {
            _journal.Record(new AttemptEvent { Event = AttemptEvent.Skipped, MessageId = messageId, Reason = "It was taken back before it came." });
        }

        foreach (QueuedExecute request in Queue.Remove(messageId, group))
        {
            RecordSkipped(request, "It was taken out of the queue.");
        }
    }

    /// <summary>The kernel is being interrupted. That ends the cascade whose request it is at.</summary>
    public void NoteInterrupt()
    {
        foreach (byte[] running in _interrupts.Running)
        {
            _lostReplies.NoteInterrupt(running);
        }

        foreach (QueuedExecute dropped in Queue.NoteInterrupt(_journal.Position))
        {
            RecordSkipped(dropped, "The cascade was interrupted.");
        }
    }

    /// <summary>True when the kernel is at this request's code; else <see cref="InterruptDue"/> is called when it is.</summary>
    public bool WantsInterrupt(string messageId)
    {
        byte[] id = Encoding.UTF8.GetBytes(messageId);
        if (!_interrupts.Want(id))
        {
            return false;
        }

        if (Queue.IsCurrent(id))
        {
            NoteInterrupt(); // Now, and not when it is given: the request may end before, and its cascade would go on.
        }

        return _pursuit.Begin(id, _interrupts.RunningSinceMs(id) ?? 0);
    }

    /// <summary>Says of all that waits that it never reached the kernel, which is worth knowing: it can be run elsewhere.</summary>
    public void SkipAll(string reason)
    {
        foreach (QueuedExecute request in Queue.RemoveAll())
        {
            RecordSkipped(request, reason);
        }
    }

    /// <summary>Sends a message of unsigned frames past the queue. On stdin it answers the pending input_request, once.</summary>
    public void Send(KernelChannel channel, ReadOnlyMemory<byte> unsigned)
    {
        bool isSecret = channel == KernelChannel.Stdin && _isInputSecret;
        if (channel == KernelChannel.Stdin)
        {
            _inputParent = null;
            _isInputSecret = false;
        }

        _outbox.Send(channel, unsigned, isSecret);
    }

    /// <summary>Sends a request of our own on control.</summary>
    public void SendControl(string messageType, byte[] content) => _outbox.Send(KernelChannel.Control, Build(messageType, content));

    /// <summary>Follows the journal: nothing is taken from the kernel while it is stalled.</summary>
    public void StallChanged()
    {
        _ioPub.StallChanged();
        _shell.StallChanged();
        _control.StallChanged();
        _stdin.StallChanged();
    }

    public void Dispose()
    {
        _nudge.Remove();
        _idleGrace.Remove();
        _pursuit.Remove();
        _lostReplies.Remove();
        _heartbeat.Dispose();
        _stdinWatch.Dispose();
        _ioPub.Dispose();
        _shell.Dispose();
        _control.Dispose();
        _stdin.Dispose();
        _sockets.Dispose();
        _signer.Dispose();
    }

    // 1. Becoming ready.

    private void AskForInfo()
    {
        if (!IsReady)
        {
            _outbox.Send(KernelChannel.Shell, Build("kernel_info_request", []));
            _nudge.Start(NudgeMs);
        }
    }

    private void CheckReady()
    {
        if (IsReady || _answerCount == 0)
        {
            return;
        }

        if (!_isIoPubLive || (!_stdinWatch.IsConnected && _answerCount < AnswersWithoutStdinMax))
        {
            _nudge.Start(NudgeAfterAnswerMs);
            return;
        }

        IsReady = true;
        _nudge.Stop();
        _heartbeat.Start();
        BecameReady?.Invoke();
        SendNext();
    }

    // 2. One request at a time.

    private void SendNext()
    {
        if (!IsReady || _isClosing)
        {
            return;
        }

        while (Queue.TakeBlocked(out string? upstream) is { } blocked)
        {
            _journal.Record(new AttemptEvent
            {
                Event = AttemptEvent.Skipped, MessageId = blocked.MessageId, Upstream = upstream, Reason = "A request that it needs did not end well.",
            });
        }

        if (Queue.TakeNext() is { } next)
        {
            _outbox.Send(KernelChannel.Shell, next.Body);
        }
    }

    private bool IsWelcome() => JupyterJson.IsText(_ioPub.Header, "msg_type"u8, "iopub_welcome"u8);

    private void OnIoPub()
    {
        if (!_isIoPubLive)
        {
            _isIoPubLive = true;
            _kernelSession = JupyterJson.TryGetRaw(_ioPub.Header, "session"u8, out ReadOnlySpan<byte> session) ? session.ToArray() : [];
            CheckReady();
        }

        if (!JupyterJson.TryGetRaw(_ioPub.Parent, "msg_id"u8, out ReadOnlySpan<byte> parent))
        {
            return;
        }

        bool isCurrent = Queue.IsCurrent(parent);
        if (isCurrent && Queue.HasReply && !Queue.HasIdle)
        {
            _idleGrace.Start(IdleGraceMs);
        }

        if (!JupyterJson.IsText(_ioPub.Header, "msg_type"u8, "status"u8))
        {
            if (JupyterJson.IsText(_ioPub.Header, "msg_type"u8, "execute_input"u8))
            {
                _pursuit.NoteInput(parent);
            }

            return;
        }

        if (JupyterJson.IsText(_ioPub.Content, "execution_state"u8, "busy"u8))
        {
            if (_interrupts.NoteBusy(parent, _loop.NowMs))
            {
                _ = _pursuit.Begin(parent, _loop.NowMs);
            }
        }
        else if (JupyterJson.IsText(_ioPub.Content, "execution_state"u8, "idle"u8))
        {
            NoteEnd(parent);
            if (JupyterJson.IsText(_ioPub.Parent, "msg_type"u8, "execute_request"u8))
            {
                _lostReplies.NoteIdle(parent, _ioPub.Parent);
            }

            IsSomeoneAnswered = true;
            if (isCurrent)
            {
                Queue.NoteIdle();
                CheckFinished();
            }
        }
    }

    private void OnShell()
    {
        IsSomeoneAnswered = true;
        if (JupyterJson.IsText(_shell.Header, "msg_type"u8, "kernel_info_reply"u8))
        {
            if (_answerCount == 0 && PublishWithoutLimit.IsFor(_shell.Content))
            {
                _outbox.Send(KernelChannel.Shell, Build("execute_request", PublishWithoutLimit.Content()));
            }

            _answerCount++;
            CheckReady();
        }

        if (!JupyterJson.IsText(_shell.Header, "msg_type"u8, "execute_reply"u8))
        {
            return;
        }

        if (JupyterJson.TryGetRaw(_shell.Parent, "msg_id"u8, out ReadOnlySpan<byte> answered))
        {
            NoteEnd(answered);
            _lostReplies.NoteReply(answered);
        }

        if (_inputParent is not null && JupyterJson.IsText(_shell.Parent, "msg_id"u8, _inputParent))
        {
            // Whoever asked no longer waits: it was interrupted.
            _inputParent = null;
            _isInputSecret = false;
        }

        if (!IsForCurrent(_shell))
        {
            return;
        }

        NoteReplyOfCurrent(!JupyterJson.IsText(_shell.Content, "status"u8, "ok"u8));
    }

    private void NoteReplyOfCurrent(bool isError)
    {
        foreach (QueuedExecute dropped in Queue.NoteReply(isError, _journal.Position))
        {
            RecordSkipped(dropped, "An earlier request of its group failed.");
        }

        if (!Queue.HasIdle)
        {
            _idleGrace.Start(IdleGraceMs);
        }

        CheckFinished();
    }

    private void NoteEnd(ReadOnlySpan<byte> messageId)
    {
        _interrupts.NoteEnd(messageId);
        _pursuit.NoteEnd(messageId);
    }

    private void OnStdin()
    {
        IsSomeoneAnswered = true;
        if (JupyterJson.IsText(_stdin.Header, "msg_type"u8, "input_request"u8))
        {
            _inputParent = JupyterJson.TryGetRaw(_stdin.Parent, "msg_id"u8, out ReadOnlySpan<byte> parent) ? parent.ToArray() : [];
            _isInputSecret = JupyterJson.IsTrue(_stdin.Content, "password"u8);
        }
    }

    private bool IsForCurrent(KernelInbox inbox) =>
        JupyterJson.TryGetRaw(inbox.Parent, "msg_id"u8, out ReadOnlySpan<byte> parent) && Queue.IsCurrent(parent);

    private void CheckFinished()
    {
        if (Queue.IsCurrentFinished)
        {
            _idleGrace.Stop();
            Queue.Finish();

            // Before the outcome is synced, so that the kernel works meanwhile.
            SendNext();
            OutcomeReached?.Invoke();
        }
    }

    // 3. The gap.

    private void GiveUpIdle()
    {
        if (Queue.Current is not { } request || !Queue.HasReply || Queue.HasIdle)
        {
            return;
        }

        _journal.Record(new AttemptEvent
        {
            Event = AttemptEvent.Gap, Channel = "iopub", MessageId = request.MessageId,
            Reason = "The kernel replied, but its idle status did not come: output of this request may be missing.",
        });
        NoteEnd(request.MessageIdUtf8);
        Queue.GiveUpIdle();
        CheckFinished();
    }

    // 4. The reply in its place.

    private void ReplyFor(byte[] requestHeader)
    {
        if (!JupyterJson.TryGetRaw(requestHeader, "msg_id"u8, out ReadOnlySpan<byte> id))
        {
            return;
        }

        _journal.Record(new AttemptEvent
        {
            Event = AttemptEvent.Gap, Channel = "shell", MessageId = Encoding.UTF8.GetString(id),
            Reason = "It was interrupted before its code began, and the kernel went idle without a reply; the one that follows is the supervisor's.",
        });
        JupyterHeader header = NewHeader("execute_reply", Encoding.UTF8.GetString(_kernelSession));
        _outbox.Record(JournalChannel.Shell, JupyterEnvelope.Build(header, Interrupted.ToArray(), parent: requestHeader));
        IsSomeoneAnswered = true;
        if (Queue.IsCurrent(id))
        {
            NoteReplyOfCurrent(isError: true);
        }
    }

    private static ReadOnlySpan<byte> Interrupted =>
        "{\"status\":\"error\",\"ename\":\"KeyboardInterrupt\",\"evalue\":\"\",\"traceback\":[]}"u8;

    private void RecordSkipped(QueuedExecute request, string reason) =>
        _journal.Record(new AttemptEvent { Event = AttemptEvent.Skipped, MessageId = request.MessageId, Reason = reason });

    private byte[] Build(string messageType, byte[] content) => JupyterEnvelope.Build(NewHeader(messageType, SessionId), content);

    private JupyterHeader NewHeader(string messageType, string session)
    {
        _sentCount++;
        string messageId = string.Create(CultureInfo.InvariantCulture, $"{SessionId}_supervisor_{_sentCount}");
        DateTimeOffset now = DateTimeOffset.UnixEpoch.AddTicks(_loop.UnixNanoseconds / 100);
        return JupyterHeader.Create(messageType, messageId, session, _spec.Username ?? "", now);
    }
}
