using System.Globalization;
using Holdfast.Protocol;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Children;
using Holdfast.Supervisor.Link;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// One kernel, from its connection file to its exit record: an attempt whose child is spoken with. What is said is
/// <see cref="KernelConversation"/>'s; here
/// are the process and the link's requests.
/// </summary>
internal sealed unsafe class KernelWork : AttemptWork
{
    /// <summary>After the kernel's end, this long without a message means that none is left in libzmq's queues.</summary>
    private const int QuietMs = 200;

    /// <summary>At most so long is an outcome held back while more requests wait: some five cells that do nothing, and nothing that a person sees.</summary>
    private const int OutcomeDelayMs = 20;

    /// <summary>More than a client that reads is ever behind, and no burden for a machine on which many kernels say much.</summary>
    private const long CachedBytes = 16 * 1024 * 1024;

    private readonly KernelFiles _files;
    private readonly KernelConversation _conversation;
    private readonly LoopTimer _startTimeout;
    private readonly LoopTimer _gentleTimeout;
    private readonly LoopTimer _quiet;
    private readonly LoopTimer _leave;
    private readonly LoopTimer _outcomeTimer;
    private long _graceMs;
    private long _takenAtLastLook;
    private bool _isQuiet;
    private long _toldPosition;
    private bool _owesSync;
    private bool _isOutcomeDue;
    private bool _didStartTimeOut;

    /// <summary>Writes the connection file and opens the sockets; the kernel is launched by <see cref="AttemptWork.Begin"/>. To be made
    /// before the link's server, so that
    /// outcomes are synced before growth is told.</summary>
    public KernelWork(PollLoop loop, AttemptHold hold)
        : base(loop, hold)
    {
        loop.PollCall = ZmqPoll.Poll;
        loop.LooksTwice = true;
        loop.AfterBatch += SyncOutcomes;
        Journal.CachedBytes = CachedBytes;
        Journal.Growing = () => Link?.TellGrowthAtOnce(); // The first of a hundred megabytes is on its way to clients while the last is written.
        _files = KernelFiles.Create(hold, loop.UnixNanoseconds);
        _conversation = new KernelConversation(loop, Spec, _files.Connection, Journal)
        {
            BecameReady = OnReady, OutcomeReached = () => _owesSync = true, HeartbeatChanged = OnHeartbeatChanged, InterruptDue = () => _ = TryInterrupt(),
        };
        _startTimeout = loop.AddTimer(StartTimedOut);
        _gentleTimeout = loop.AddTimer(() => Terminate(_graceMs));
        _quiet = loop.AddTimer(LookForQuiet);
        _leave = loop.AddTimer(loop.Stop);
        _outcomeTimer = loop.AddTimer(OnOutcomeDue);
    }

    public override string Mode => AttemptSpec.KindKernel;

    public override string[] Capabilities => [LinkCapabilities.Kernel, LinkCapabilities.After, LinkCapabilities.Packed];

    /// <summary>While an outcome is not synced, the journal is shown without it: what the server has been told, it may commit.</summary>
    public override long JournalPosition => _owesSync ? _toldPosition : Journal.Position;

    protected override string? ExitRemark
    {
        get
        {
            if (_conversation.IsReady || (IsStopping && !_didStartTimeOut))
            {
                return null;
            }

            string remark = _didStartTimeOut
                ? string.Create(CultureInfo.InvariantCulture, $"The kernel did not answer within {Spec.StartTimeoutMs} ms.")
                : "It had not become ready.";
            return LastWords.Of(Hold.Files.Journal) is { } words ? $"{remark} Its last words: {words}" : remark;
        }
    }

    protected override bool IsDrained => _isQuiet;

    public override void Greet(LinkConnection connection)
    {
        base.Greet(connection);
        if (Now == AttemptPhase.Running && _conversation.IsReady)
        {
            connection.Send(Notice(LinkMessageType.Ready));
            if (!_conversation.IsAlive)
            {
                connection.Send(HeartbeatNotice(isAlive: false));
            }
        }
    }

    public override void Handle(LinkRequest request)
    {
        switch (request.Type)
        {
            case LinkMessageType.Execute:
                Execute(request);
                break;
            case LinkMessageType.Send:
                Send(request);
                break;
            case LinkMessageType.Dequeue:
                _conversation.Dequeue(request.Message.MessageId, request.Message.Group, request.Message.End);
                request.Done();
                break;
            case LinkMessageType.Interrupt:
                Interrupt(request);
                break;
            case LinkMessageType.Release:
                Release(request);
                break;
            case LinkMessageType.Pause or LinkMessageType.Resume:
                request.Refuse(LinkCodes.NotSupported, "A kernel is not paused: interrupt it, or let it be.");
                break;
            default:
                base.Handle(request);
                break;
        }
    }

    public override void ConnectionsChanged(int count)
    {
        if (Now == AttemptPhase.Ended && count == 0)
        {
            Loop.Stop();
        }
    }

    protected override ChildStart Prepare() => base.Prepare() with { Argv = _files.Argv, Environment = Environment() };

    protected override void OnStarted()
    {
        _conversation.Begin();
        if (Spec.StartTimeoutMs > 0)
        {
            _startTimeout.Start(Spec.StartTimeoutMs);
        }
    }

    protected override bool TryEndGently(long graceMs)
    {
        _conversation.BeginClosing();
        _startTimeout.Stop();
        if (!_conversation.IsReady || !_conversation.IsAlive)
        {
            return false;
        }

        _graceMs = graceMs;
        _conversation.SendControl("shutdown_request", JupyterEnvelope.ShutdownContent(restart: StopCause == ExitCause.Restarted));
        if (_conversation.IsAtRequest)
        {
            // As Jupyter's own servers do: else the whole grace would pass before its turn comes. One that is idle may be ended by the signal.
            _ = TryInterrupt();
        }

        _gentleTimeout.Start(graceMs);
        return true;
    }

    protected override void OnChildEnded()
    {
        _startTimeout.Stop();
        _gentleTimeout.Stop();
        _conversation.KernelEnded();
        _takenAtLastLook = _conversation.TakenCount;
        _quiet.Start(QuietMs);
        if (!IsStopping && Reaper.HasChildren())
        {
            // What a kernel has started is nobody's without it.
            Terminate(Spec.GraceMs);
        }
    }

    protected override void OnEnding()
    {
        _conversation.SkipAll("The kernel ended before it was sent.");
    }

    protected override void OnEnded()
    {
        _conversation.Dispose();
        _files.Delete();
        if (Link is null or { GreetedCount: 0 })
        {
            Loop.Stop();
            return;
        }

        const int leaveAfterMs = 10_000;
        _leave.Start(leaveAfterMs);
    }

    protected override void OnStallChanged() => _conversation.StallChanged();

    private string[] Environment()
    {
        // ipykernel and others poll the process named here and end themselves with it; a kernel of ours outlives whoever asked for it.
        const string parentVariable = "JPY_PARENT_PID=";
        string[] environment = ChildEnvironment.Of(Spec);
        return Array.FindAll(environment, static variable => !variable.StartsWith(parentVariable, StringComparison.Ordinal));
    }

    private void StartTimedOut()
    {
        _didStartTimeOut = true;
        Stop(ExitCause.StartTimedOut, Spec.GraceMs);
    }

    private void OnReady()
    {
        _startTimeout.Stop();
        Journal.Record(new AttemptEvent { Event = AttemptEvent.Ready });
        Journal.Steps.Do(() => Link?.Notify(Notice(LinkMessageType.Ready)));
    }

    private void OnHeartbeatChanged(bool isAlive)
    {
        Journal.Record(new AttemptEvent { Event = AttemptEvent.Heartbeat, Alive = isAlive });
        Link?.Notify(HeartbeatNotice(isAlive));
    }

    private LinkMessage HeartbeatNotice(bool isAlive) =>
        new() { Type = LinkMessageType.Heartbeat, Attempt = Attempt, Alive = isAlive, AtUnixNanoseconds = Loop.UnixNanoseconds };

    /// <summary>
    /// At the end of each batch. The next request is at the kernel already, so the disk's time is not the next cell's. While more requests wait behind it, outcomes are
    /// made durable and told together, a few at a time: a notebook of small cells would otherwise spend as much on syncs and on waking the server as on its cells.
    /// </summary>
    private void SyncOutcomes()
    {
        if (_owesSync && !Journal.IsStalled && _conversation.WaitingCount > 0 && !_isOutcomeDue)
        {
            if (!_outcomeTimer.IsArmed)
            {
                _outcomeTimer.Start(OutcomeDelayMs);
            }
        }
        else if (_owesSync && !Journal.IsStalled)
        {
            _outcomeTimer.Stop();
            _isOutcomeDue = false;
            Journal.Sync(static _ => CrashPoints.Reach(CrashPoint.SupervisorOutcomeSynced));
            _owesSync = false;
            Link?.TellGrowthNow();
        }

        if (!_owesSync)
        {
            _toldPosition = Journal.Position;
            if (_conversation.IsSomeoneAnswered)
            {
                // Not after the pause that bundles news of growth: for this a person waits.
                Link?.TellGrowthNow();
            }
        }

        _conversation.IsSomeoneAnswered = false;
    }

    private void OnOutcomeDue()
    {
        _isOutcomeDue = true;
        SyncOutcomes();
    }

    private void LookForQuiet()
    {
        if (Journal.IsStalled || _conversation.TakenCount != _takenAtLastLook)
        {
            _takenAtLastLook = _conversation.TakenCount;
            _quiet.Start(QuietMs);
            return;
        }

        _isQuiet = true;
        Drain();
    }

    // Requests.

    private void Execute(LinkRequest request)
    {
        LinkMessage message = request.Message;
        if (Now is not (AttemptPhase.Starting or AttemptPhase.Running) || IsStopping)
        {
            request.Refuse(LinkCodes.NotRunning, "The kernel has ended or is being ended.");
            return;
        }

        byte[] body = message.Body.ToArray();
        JupyterHeader? header = JupyterMessage.TryParseUnsigned(body)?.Header;
        if (header is null || !IsPlain(header.MessageId) || (message.MessageId ?? header.MessageId) != header.MessageId)
        {
            request.Refuse(
                LinkCodes.MessageInvalid,
                "The body is no multipart of header, parent, metadata and content, or its msg_id is not the messageId given, or not plain ASCII.");
            return;
        }

        var execute = new QueuedExecute(header.MessageId, message.Group, message.StopOnError, body, message.After);
        if (_conversation.Offer(execute, message.Position) == ExecuteAnswer.Full)
        {
            request.Refuse(
                LinkCodes.QueueFull, $"The kernel's queue holds {ExecuteQueue.RequestsMax} requests, or as many bytes as it may.");
            return;
        }

        request.Done();
    }

    private void Send(LinkRequest request)
    {
        KernelChannel? channel = request.Message.Channel switch
        {
            "shell" => KernelChannel.Shell,
            "control" => KernelChannel.Control,
            "stdin" => KernelChannel.Stdin,
            _ => null,
        };
        byte[] body = request.Message.Body.ToArray();
        if (channel is null || JupyterMessage.TryParseUnsigned(body) is null)
        {
            request.Refuse(
                LinkCodes.MessageInvalid, "The channel is not shell, control or stdin, or the body is no multipart of header, parent, metadata and content.");
        }
        else if (Now != AttemptPhase.Running)
        {
            request.Refuse(LinkCodes.NotRunning, "The kernel does not run.");
        }
        else if (channel == KernelChannel.Stdin && !_conversation.WantsInput)
        {
            request.Refuse(
                LinkCodes.InputNotRequested, "The kernel asks for no input now: somebody has answered it, or it was interrupted.");
        }
        else
        {
            _conversation.Send(channel.Value, body);
            Link?.TellGrowthLater(); // The kernel wants the processor now.
            request.Done();
        }
    }

    private void Interrupt(LinkRequest request)
    {
        if (Now != AttemptPhase.Running || !_conversation.IsReady)
        {
            // Before it has set up its handler, a SIGINT would end it.
            request.Refuse(LinkCodes.NotRunning, "The kernel does not run, or is not ready yet.");
            return;
        }

        if (request.Message.MessageId is { } messageId && !_conversation.WantsInterrupt(messageId))
        {
            request.Done(); // It is over, or its turn comes: then it is interrupted, and nothing else is.
            return;
        }

        if (!TryInterrupt())
        {
            request.Refuse(LinkCodes.NotRunning, "The kernel does not run.");
            return;
        }

        request.Done();
    }

    private bool TryInterrupt()
    {
        _conversation.NoteInterrupt();
        if (Spec.InterruptMode != "message")
        {
            return TrySignal(Libc.SigInt);
        }

        _conversation.SendControl("interrupt_request", []);
        return true;
    }

    private void Release(LinkRequest request)
    {
        if (Now != AttemptPhase.Ended)
        {
            request.Refuse(LinkCodes.NotIdle, "The kernel has not ended, or its exit record is not durable yet.");
            return;
        }

        request.Done();
        Loop.Stop();
    }

    /// <summary>True for an id that a kernel's JSON writes back byte for byte, by which its replies are known.</summary>
    private static bool IsPlain(string messageId)
    {
        foreach (char c in messageId)
        {
            if (c is < ' ' or > '~' or '"' or '\\' or '/' or '<' or '>' or '&' or '\'' or '+')
            {
                return false;
            }
        }

        return messageId.Length is > 0 and <= 256;
    }
}
