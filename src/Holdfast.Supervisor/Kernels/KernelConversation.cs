using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// Everything that is said with one kernel: what comes in on each socket goes to those who follow it, <see cref="KernelReadiness"/> until
/// the kernel can be talked to, <see cref="ExecuteDispatcher"/> for the queue of cells, <see cref="KernelInterrupts"/> for the aim of
/// interrupts, <see cref="InputQuestion"/> for its questions. An interrupted request that ends without its reply gets one of ours. Knows
/// nothing of processes and links.
/// </summary>
internal sealed class KernelConversation : IDisposable
{
    private readonly AttemptJournal _journal;
    private readonly JupyterSigner _signer;
    private readonly KernelSockets _sockets;
    private readonly KernelOutbox _outbox;
    private readonly KernelInbox _ioPub;
    private readonly KernelInbox _shell;
    private readonly KernelInbox _control;
    private readonly KernelInbox _stdin;
    private readonly KernelHeartbeat _heartbeat;
    private readonly SupervisorMessages _messages;
    private readonly KernelReadiness _readiness;
    private readonly ExecuteDispatcher _dispatcher;
    private readonly KernelInterrupts _interrupts;
    private readonly InputQuestion _input = new();
    private byte[] _kernelSession = [];

    public KernelConversation(PollLoop loop, AttemptSpec spec, ConnectionFile connection, AttemptJournal journal)
    {
        _journal = journal;
        _signer = new JupyterSigner(Encoding.UTF8.GetBytes(connection.Key));
        _messages = new SupervisorMessages(loop, spec);
        _sockets = new KernelSockets(connection, _messages.SessionId);
        _outbox = new KernelOutbox(loop, _sockets, _signer, journal);

        // In this order they are served within a batch: what a cell said comes before the reply that ends it.
        _ioPub = new KernelInbox(loop, _sockets.IoPub, "iopub", JournalChannel.IoPub, _signer, journal, OnIoPub)
        {
            IsSwallowed = IsWelcome,
        };
        _stdin = new KernelInbox(loop, _sockets.Stdin, "stdin", JournalChannel.Stdin, _signer, journal, OnStdin);
        _shell = new KernelInbox(loop, _sockets.Shell, "shell", JournalChannel.Shell, _signer, journal, OnShell);
        _control = new KernelInbox(
            loop,
            _sockets.Control,
            "control",
            JournalChannel.Control,
            _signer,
            journal,
            () => IsSomeoneAnswered = true
        );
        _heartbeat = new KernelHeartbeat(loop, _sockets.Heartbeat, isAlive => HeartbeatChanged?.Invoke(isAlive));
        _interrupts = new KernelInterrupts(loop, () => InterruptDue?.Invoke(), ReplyFor);
        _dispatcher = new ExecuteDispatcher(loop, _outbox, journal, _interrupts.NoteEnd)
        {
            OutcomeReached = () => OutcomeReached?.Invoke(),
        };
        _readiness = new KernelReadiness(loop, _sockets, _outbox, _messages, OnReady);
    }

    /// <summary>The kernel has answered and its output is heard.</summary>
    public bool IsReady => _readiness.IsReady;

    public bool IsAlive => _heartbeat.IsAlive;

    /// <summary>How many requests of the queue are not at the kernel yet.</summary>
    public int WaitingCount => _dispatcher.WaitingCount;

    /// <summary>True when it has said busy for something, and neither replied nor said idle.</summary>
    public bool IsAtRequest => _interrupts.IsAtRequest;

    /// <summary>True when an input_request has not been replied to.</summary>
    public bool WantsInput => _input.IsOpen;

    /// <summary>Everything taken from the kernel so far, for whoever waits until nothing more comes.</summary>
    public long TakenCount => _ioPub.TakenCount + _shell.TakenCount + _control.TakenCount + _stdin.TakenCount;

    /// <summary>Called once.</summary>
    public LoopCallback? BecameReady { get; set; }

    /// <summary>A request of the queue has both its reply and its idle, or was given up; what follows it is on its way already.</summary>
    public LoopCallback? OutcomeReached { get; set; }

    /// <summary>The kernel is at the code of a request that is to be interrupted, or may not have heard it.</summary>
    public LoopCallback? InterruptDue { get; set; }

    /// <summary>
    /// Something came that a person may be waiting for: a question, or the reply or the idle to what is not the queue's, of which
    /// <see cref="OutcomeReached"/> tells. Cleared by who tells of it.
    /// </summary>
    public bool IsSomeoneAnswered { get; set; }

    public HeartbeatCallback? HeartbeatChanged { get; set; }

    /// <summary>Begins to ask. The kernel need not listen yet: libzmq keeps the question until it does.</summary>
    public void Begin() => _readiness.Ask();

    /// <summary>Nothing more is sent from the queue: the kernel is being ended.</summary>
    public void BeginClosing()
    {
        _dispatcher.Close();
        _readiness.Stop();
    }

    /// <summary>The kernel is gone: what lies in the sockets is still taken, and nobody is waited for.</summary>
    public void KernelEnded()
    {
        BeginClosing();
        _dispatcher.Stop();
        _interrupts.Stop();
        _heartbeat.Stop();
    }

    public ExecuteAnswer Offer(QueuedExecute request, long position) => _dispatcher.Offer(request, position);

    /// <summary>Takes requests out of the queue by id or group.</summary>
    /// <param name="isFinal">One that has not come yet is not to be taken when it comes.</param>
    public void Dequeue(string? messageId, string? group, bool isFinal) => _dispatcher.Dequeue(messageId, group, isFinal);

    /// <summary>Says of all that waits that it never reached the kernel, which is worth knowing: it can be run elsewhere.</summary>
    public void SkipAll(string reason) => _dispatcher.SkipAll(reason);

    /// <summary>The kernel is being interrupted. That ends the cascade whose request it is at.</summary>
    public void NoteInterrupt()
    {
        _interrupts.NoteInterrupt();
        _dispatcher.NoteInterrupt();
    }

    /// <summary>
    /// An interrupt of whatever runs. True when it is to be given at once; else <see cref="InterruptDue"/> is called: what the queue has
    /// sent is meant, when the kernel is at that or has not taken it up yet, and would not hear it.
    /// </summary>
    public bool WantsInterrupt()
    {
        if (_dispatcher.CurrentId is not { } current || (_interrupts.IsAtRequest && !_interrupts.IsAt(current)))
        {
            return true;
        }

        NoteInterrupt();
        return _interrupts.Want(current) && _interrupts.Pursue(current);
    }

    /// <summary>True when the kernel is at this request's code; else <see cref="InterruptDue"/> is called when it is.</summary>
    public bool WantsInterrupt(string messageId)
    {
        byte[] id = Encoding.UTF8.GetBytes(messageId);
        if (!_interrupts.Want(id))
        {
            return false;
        }

        if (_dispatcher.IsCurrent(id))
        {
            NoteInterrupt(); // Now, and not when it is given: the request may end before, and its cascade would go on.
        }

        return _interrupts.Pursue(id);
    }

    /// <summary>Sends a message of unsigned frames past the queue. On stdin it answers the pending input_request, once.</summary>
    public void Send(KernelChannel channel, ReadOnlyMemory<byte> unsigned) =>
        _outbox.Send(channel, unsigned, isSecret: channel == KernelChannel.Stdin && _input.Answer());

    /// <summary>Sends a request of our own on control.</summary>
    public void SendControl(string messageType, byte[] content) =>
        _outbox.Send(KernelChannel.Control, _messages.Request(messageType, content));

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
        _dispatcher.Remove();
        _interrupts.Remove();
        _heartbeat.Dispose();
        _readiness.Dispose();
        _ioPub.Dispose();
        _shell.Dispose();
        _control.Dispose();
        _stdin.Dispose();
        _sockets.Dispose();
        _signer.Dispose();
    }

    private void OnReady()
    {
        _heartbeat.Start();
        BecameReady?.Invoke();
        _dispatcher.Open();
    }

    private bool IsWelcome() => JupyterJson.IsText(_ioPub.Header, "msg_type"u8, "iopub_welcome"u8);

    private void OnIoPub()
    {
        if (!_readiness.IsIoPubLive)
        {
            _kernelSession = JupyterJson.TryGetRaw(_ioPub.Header, "session"u8, out ReadOnlySpan<byte> session) ? session.ToArray() : [];
            _readiness.NoteIoPub();
        }

        if (!JupyterJson.TryGetRaw(_ioPub.Parent, "msg_id"u8, out ReadOnlySpan<byte> parent))
        {
            return;
        }

        bool isCurrent = _dispatcher.IsCurrent(parent);
        if (isCurrent)
        {
            _dispatcher.NoteOutput();
        }

        if (JupyterJson.IsText(_ioPub.Header, "msg_type"u8, "status"u8))
        {
            OnStatus(parent, isCurrent);
        }
        else if (JupyterJson.IsText(_ioPub.Header, "msg_type"u8, "execute_input"u8))
        {
            _interrupts.NoteInput(parent);
        }
    }

    private void OnStatus(ReadOnlySpan<byte> parent, bool isCurrent)
    {
        if (JupyterJson.IsText(_ioPub.Content, "execution_state"u8, "busy"u8))
        {
            _interrupts.NoteBusy(parent);
        }
        else if (JupyterJson.IsText(_ioPub.Content, "execution_state"u8, "idle"u8))
        {
            bool isOfExecute = JupyterJson.IsText(_ioPub.Parent, "msg_type"u8, "execute_request"u8);
            _interrupts.NoteIdle(parent, isOfExecute ? _ioPub.Parent : default);
            if (isCurrent)
            {
                _dispatcher.NoteIdle();
            }
            else
            {
                IsSomeoneAnswered = true;
            }
        }
    }

    private void OnShell()
    {
        if (JupyterJson.IsText(_shell.Header, "msg_type"u8, "execute_reply"u8))
        {
            OnExecuteReply();
            return;
        }

        IsSomeoneAnswered = true;
        if (JupyterJson.IsText(_shell.Header, "msg_type"u8, "kernel_info_reply"u8))
        {
            _readiness.NoteAnswer(_shell.Content);
        }
    }

    private void OnExecuteReply()
    {
        if (!JupyterJson.TryGetRaw(_shell.Parent, "msg_id"u8, out ReadOnlySpan<byte> answered))
        {
            return;
        }

        _interrupts.NoteReply(answered);
        _input.NoteReply(_shell.Parent);
        if (_dispatcher.IsCurrent(answered))
        {
            _dispatcher.NoteReply(!JupyterJson.IsText(_shell.Content, "status"u8, "ok"u8));
        }
        else
        {
            IsSomeoneAnswered = true;
        }
    }

    private void OnStdin()
    {
        IsSomeoneAnswered = true;
        if (JupyterJson.IsText(_stdin.Header, "msg_type"u8, "input_request"u8))
        {
            _input.Ask(_stdin.Parent, _stdin.Content);
        }
    }

    /// <summary>An interrupted request has ended without its reply: this one stands in its place.</summary>
    private void ReplyFor(byte[] requestHeader)
    {
        if (!JupyterJson.TryGetRaw(requestHeader, "msg_id"u8, out ReadOnlySpan<byte> id))
        {
            return;
        }

        _journal.Record(
            new AttemptEvent
            {
                Event = AttemptEvent.Gap,
                Channel = "shell",
                MessageId = Encoding.UTF8.GetString(id),
                Reason =
                    "It was interrupted before its code began, and the kernel went idle without a reply; the one that follows is the supervisor's.",
            }
        );
        _outbox.Record(JournalChannel.Shell, _messages.Reply("execute_reply", Interrupted, _kernelSession, requestHeader));
        IsSomeoneAnswered = true;
        if (_dispatcher.IsCurrent(id))
        {
            _dispatcher.NoteReply(isError: true);
        }
    }

    private static ReadOnlySpan<byte> Interrupted =>
        "{\"status\":\"error\",\"ename\":\"KeyboardInterrupt\",\"evalue\":\"\",\"traceback\":[]}"u8;
}
