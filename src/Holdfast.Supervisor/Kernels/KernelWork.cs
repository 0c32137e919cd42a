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
/// <see cref="KernelConversation"/>'s, what is asked <see cref="KernelRequests"/>'; here is the process.
/// </summary>
internal sealed unsafe class KernelWork : AttemptWork
{
    /// <summary>After the kernel's end, this long without a message means that none is left in libzmq's queues.</summary>
    private const int QuietMs = 200;

    /// <summary>More than a client that reads is ever behind, and no burden for a machine on which many kernels say much.</summary>
    private const long CachedBytes = 16 * 1024 * 1024;

    private readonly KernelFiles _files;
    private readonly KernelConversation _conversation;
    private readonly KernelRequests _requests;
    private readonly OutcomeSync _outcomes;
    private readonly LoopTimer _startTimeout;
    private readonly LoopTimer _gentleTimeout;
    private readonly LoopTimer _quiet;
    private readonly LoopTimer _leave;
    private long _graceMs;
    private long _takenAtLastLook;
    private bool _isQuiet;
    private bool _didStartTimeOut;

    /// <summary>
    /// Writes the connection file and opens the sockets; the kernel is launched by <see cref="AttemptWork.Begin"/>. To be made before the
    /// link's server, so that outcomes are synced before growth is told.
    /// </summary>
    public KernelWork(PollLoop loop, AttemptHold hold)
        : base(loop, hold)
    {
        loop.PollCall = ZmqPoll.Poll;
        loop.LooksTwice = true;
        Journal.CachedBytes = CachedBytes;
        // The first of a hundred megabytes is on its way to clients while the last is written.
        Journal.Growing = () => Link?.TellGrowthAtOnce();
        _files = KernelFiles.Create(hold, loop.UnixNanoseconds);
        _conversation = new KernelConversation(loop, Spec, _files.Connection, Journal)
        {
            BecameReady = OnReady,
            OutcomeReached = () => _outcomes!.NoteOutcome(),
            HeartbeatChanged = OnHeartbeatChanged,
            InterruptDue = () => _ = TryInterrupt(),
        };
        _requests = new KernelRequests(this, _conversation);
        _outcomes = new OutcomeSync(loop, Journal, _conversation, () => Link?.TellGrowthNow());
        loop.AfterBatch += _outcomes.Settle;
        _startTimeout = loop.AddTimer(StartTimedOut);
        _gentleTimeout = loop.AddTimer(() => Terminate(_graceMs));
        _quiet = loop.AddTimer(LookForQuiet);
        _leave = loop.AddTimer(loop.Stop);
    }

    public override string Mode => AttemptSpec.KindKernel;

    public override string[] Capabilities => [LinkCapabilities.Kernel, LinkCapabilities.After, LinkCapabilities.Packed];

    public override long JournalPosition => _outcomes.ShownPosition;

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
        if (!_requests.TryHandle(request))
        {
            base.Handle(request);
        }
    }

    public override void ConnectionsChanged(int count)
    {
        if (Now == AttemptPhase.Ended && count == 0)
        {
            Loop.Stop();
        }
    }

    /// <summary>Interrupts whatever the kernel is at; false when there is none any more.</summary>
    internal bool TryInterrupt()
    {
        _conversation.NoteInterrupt();
        if (Spec.InterruptMode != "message")
        {
            return TrySignal(Libc.SigInt);
        }

        _conversation.SendControl("interrupt_request", []);
        return true;
    }

    /// <summary>Ends this process: the kernel has ended, and nobody needs to read on.</summary>
    internal void Leave() => Loop.Stop();

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
            // As Jupyter's own servers do: else the whole grace would pass before its turn comes. One that is idle may be ended by the
            // signal.
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
        new()
        {
            Type = LinkMessageType.Heartbeat,
            Attempt = Attempt,
            Alive = isAlive,
            AtUnixNanoseconds = Loop.UnixNanoseconds,
        };

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
}
