// One indivisible thing: the states of an attempt's life and the steps between them, in their order.

using Holdfast.Protocol;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Children;
using Holdfast.Supervisor.Link;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Attempts;

/// <summary>
/// The life of one attempt, alike for jobs and kernels:
/// 1. the journal is opened, and the start record appended and synced;
/// 2. the child is launched, child.json written, and `started` told;
/// 3. its output is journalled, and signals, pause, resume and stop are obeyed;
/// 4. it ends, or is ended with its whole tree; what is left in its pipes is read, for two seconds if somebody else holds them;
/// 5. the exit record is appended and synced, exit.json written, and `exited` told.
/// A full disk holds up any of these and skips none. What a kind of work adds comes in by the members that are virtual.
/// </summary>
internal abstract class AttemptWork : Work, IDisposable
{
    private readonly ChildRun _run;
    private readonly TimeAllowance _time;
    private bool _isPaused;
    private string? _stopCause;
    private string? _stopCauseOfDeath;
    private long _graceAsked;
    private LinkMessage? _started;
    private LinkMessage? _exited;

    protected AttemptWork(PollLoop loop, AttemptHold hold)
    {
        Loop = loop;
        Hold = hold;
        Journal = new AttemptJournal(loop, hold.Files.Journal) { StallChanged = JournalStallChanged };
        _run = new ChildRun(loop, MemoryExceeded, ChildEnded, Drain);
        _time = new TimeAllowance(loop, () => Stop(ExitCause.TimedOut, Spec.GraceMs));
    }

    /// <summary>Set by whoever wires the two, before <see cref="Begin"/>.</summary>
    public LinkServer? Link { get; set; }

    public override string Attempt => Spec.Attempt;

    public override string Directory => Hold.Files.Directory;

    public override string Nonce => Spec.Nonce;

    public override long JournalPosition => Journal.Position;

    public override bool IsJournalComplete => Journal.IsComplete;

    public override string State =>
        Now switch
        {
            AttemptPhase.Starting => "starting",
            AttemptPhase.Running when _stopCause is not null => "stopping",
            AttemptPhase.Running when _isPaused => "paused",
            AttemptPhase.Running => "running",
            AttemptPhase.Ended => "idle",
            _ => "ending",
        };

    public AttemptJournal Journal { get; private set; }

    protected PollLoop Loop { get; }

    protected AttemptHold Hold { get; private set; }

    protected AttemptSpec Spec => Hold.Spec;

    /// <summary>How long a stop waits between TERM and KILL unless it says so itself.</summary>
    internal long GraceMs => Spec.GraceMs;

    internal AttemptPhase Now { get; private set; }

    /// <summary>Somebody asked for the end, or the time was up.</summary>
    internal bool IsStopping => _stopCause is not null;

    /// <summary>By what word whoever asked for the end explains it; null when nobody has.</summary>
    protected string? StopCause => _stopCause;

    /// <summary>What the child runs on, while it runs and if it does.</summary>
    protected PseudoTerminal? Terminal => _run.Terminal;

    /// <summary>The child's pid while it is surely its own; else 0.</summary>
    protected int ChildPid => _run.Pid;

    /// <summary>Step 1, and by it all that follows.</summary>
    public void Begin()
    {
        Journal.Steps.Do(Journal.Open);
        Journal.Record(
            new AttemptEvent
            {
                Event = AttemptEvent.Start,
                Attempt = Spec.Attempt,
                Argv = Spec.Argv,
            }
        );
        Journal.Sync(StartSynced);
    }

    /// <summary>Lets go of the journal and the lock. The child, if there is one, is not touched.</summary>
    public virtual void Dispose()
    {
        _run.Dispose();
        Journal.Dispose();
        Hold.Dispose();
        GC.SuppressFinalize(this);
    }

    public override void Handle(LinkRequest request)
    {
        if (!AttemptRequests.TryHandle(this, request))
        {
            request.Refuse(LinkCodes.NotSupported, $"The supervisor of a {Mode} does not take {request.Type}.");
        }
    }

    public override void Greet(LinkConnection connection)
    {
        if (_started is not null)
        {
            connection.Send(_started);
        }

        if (_exited is not null)
        {
            connection.Send(_exited);
            return;
        }

        if (_isPaused)
        {
            connection.Send(Notice(LinkMessageType.Paused));
        }

        if (Journal.IsStalled)
        {
            connection.Send(AttemptNotices.Stall(Attempt, Journal, Loop.UnixNanoseconds));
        }
    }

    /// <summary>
    /// What to launch. The child's descriptors of standard output and error are the caller's to add; standard input may be set.
    /// </summary>
    protected virtual ChildStart Prepare() => new(Spec.Argv, ChildEnvironment.Of(Spec), Spec.Cwd);

    /// <summary>The child has its descriptors, or never will: what <see cref="Prepare"/> opened for it can be closed.</summary>
    protected virtual void OnLaunched() { }

    /// <summary>The child runs, child.json is written and `started` told.</summary>
    protected virtual void OnStarted() { }

    /// <summary>The child has ended, by itself or not; its status is taken. Output and its record may still be to come.</summary>
    protected virtual void OnChildEnded() { }

    /// <summary>The exit record is durable and told; the lock is still held.</summary>
    protected abstract void OnEnded();

    /// <summary>
    /// A stop was asked for. True when the work ends its child in its own way first (a kernel is asked to shut down) and will call
    /// <see cref="Terminate"/>; TERM and KILL follow at once when false.
    /// </summary>
    protected virtual bool TryEndGently(long graceMs) => false;

    /// <summary>
    /// Nothing more is to come from the child by other ways than its pipes; whoever answers false calls <see cref="Drain"/> when that has
    /// changed.
    /// </summary>
    protected virtual bool IsDrained => true;

    /// <summary>The exit record comes next: the last moment for events.</summary>
    protected virtual void OnEnding() { }

    /// <summary>The journal has stalled, or goes on: sources other than the pipes are to be left alone, or read again.</summary>
    protected virtual void OnStallChanged() { }

    /// <summary>What the exit record's reason says beyond the death itself; null for nothing.</summary>
    protected virtual string? ExitRemark => null;

    /// <summary>Takes up a new attempt after the last one has ended.</summary>
    protected void Renew(AttemptHold hold)
    {
        Hold = hold;
        Journal = new AttemptJournal(Loop, hold.Files.Journal) { StallChanged = JournalStallChanged };
        Now = AttemptPhase.Starting;
        _isPaused = false;
        _run.Clear();
        _stopCause = _stopCauseOfDeath = null;
        _started = _exited = null;
    }

    /// <summary>A notice about the current attempt.</summary>
    protected LinkMessage Notice(LinkMessageType type) =>
        new()
        {
            Type = type,
            Attempt = Attempt,
            AtUnixNanoseconds = Loop.UnixNanoseconds,
        };

    // 1 and 2: the start.

    private void StartSynced(string? failure)
    {
        CrashPoints.Reach(CrashPoint.SupervisorStartSynced);
        if (failure is not null)
        {
            EndWithoutChild(
                new StartFailure(StartFailure.OtherCode, $"The journal cannot be made durable: {failure}"),
                ExitCause.NotStarted
            );
        }
        else if (_stopCause is not null)
        {
            EndWithoutChild(new StartFailure(StartFailure.OtherCode, "It was stopped before it was started."), _stopCause);
        }
        else
        {
            Launch();
        }
    }

    private void Launch()
    {
        try
        {
            _run.Prepare(Spec, Journal);
        }
        catch (IOException e)
        {
            EndWithoutChild(
                new StartFailure(StartFailure.OtherCode, $"There is nothing for it to write to: {e.Message}"),
                ExitCause.NotStarted
            );
            return;
        }

        bool isLaunched = _run.TryLaunch(Prepare(), out StartFailure? failure);
        OnLaunched();
        if (!isLaunched)
        {
            _run.Abandon();
            EndWithoutChild(failure!, ExitCause.NotStarted);
            return;
        }

        _run.Begin();
        Now = AttemptPhase.Running;
        TellStarted(_run.Record);
        _time.Start(Spec.TimeoutMs);
    }

    private void TellStarted(ChildRecord child)
    {
        Journal.Steps.Do(() => Hold.WriteChild(child));
        Journal.Record(
            new AttemptEvent
            {
                Event = AttemptEvent.Started,
                Pid = child.Process.Pid,
                StartTicks = child.Process.StartTicks,
            }
        );
        Journal.Steps.Do(() =>
        {
            CrashPoints.Reach(CrashPoint.SupervisorChildRecorded);
            _started = AttemptNotices.Started(Attempt, child);
            Link?.Notify(_started);
            if (Now == AttemptPhase.Running)
            {
                OnStarted();
            }
        });
    }

    // 3: while it runs.

    /// <summary>Signals the child's group; false when there is none any more.</summary>
    internal bool TrySignal(int signal) => _run.TrySignal(signal);

    /// <summary>Of what runs and is not being stopped; paused already, nothing.</summary>
    internal void Pause()
    {
        if (!_isPaused)
        {
            _isPaused = true;
            _time.Hold();
            _run.Pause();
            Journal.Record(new AttemptEvent { Event = AttemptEvent.Paused });
            Link?.Notify(Notice(LinkMessageType.Paused));
        }
    }

    /// <summary>Of what runs; not paused, nothing.</summary>
    internal void Resume()
    {
        if (_isPaused)
        {
            _isPaused = false;
            _time.GoOn();
            _run.Resume();
            Journal.Record(new AttemptEvent { Event = AttemptEvent.Resumed });
            Link?.Notify(Notice(LinkMessageType.Resumed));
        }
    }

    /// <summary>Stops the work as a request to stop does.</summary>
    internal void Stop(string cause, long graceMs)
    {
        if (_stopCause is not null)
        {
            _run.Hasten(graceMs);
            return;
        }

        _stopCause = cause;
        _graceAsked = graceMs;
        _time.Stop();
        if (Now is not (AttemptPhase.Running or AttemptPhase.Draining))
        {
            // Before the launch: it will not happen. After the end: there is nothing left to stop.
            return;
        }

        Journal.Record(new AttemptEvent { Event = AttemptEvent.Stop, Cause = cause });
        if (Now == AttemptPhase.Draining || !TryEndGently(graceMs))
        {
            Terminate(graceMs);
        }
    }

    /// <summary>TERM, <paramref name="graceMs"/>, KILL, for the child and everything below it.</summary>
    protected void Terminate(long graceMs)
    {
        if (Now is AttemptPhase.Running or AttemptPhase.Draining)
        {
            _run.Terminate(graceMs);
        }
    }

    /// <summary>No time to end gently: it takes more memory by the moment.</summary>
    private void MemoryExceeded()
    {
        if (Now == AttemptPhase.Running && _stopCause is null)
        {
            _stopCause = ExitCause.OutOfMemory;
            _time.Stop();
            Journal.Record(new AttemptEvent { Event = AttemptEvent.Stop, Cause = ExitCause.OutOfMemory });
        }

        _run.Kill();
    }

    // 4: the end.

    private void ChildEnded()
    {
        CrashPoints.Reach(CrashPoint.SupervisorReaped);
        _time.Stop();
        _stopCauseOfDeath = _stopCause;
        Now = AttemptPhase.Draining;
        OnChildEnded();

        // One that ended in the gentle phase of a stop: its descendants get the rest of the treatment.
        _run.WindUp(IsStopping ? _graceAsked : null);
        Drain();
    }

    /// <summary>
    /// Goes on when the child has ended, the tree is stopped if it was to be, and the pipes are at their end; waits for the latter a while.
    /// </summary>
    protected void Drain()
    {
        if (Now == AttemptPhase.Draining && _run.IsReadyToConclude() && IsDrained)
        {
            WriteExit(_run.Conclude(_stopCauseOfDeath, ExitRemark));
        }
    }

    // 5: the record of the end.

    private void EndWithoutChild(StartFailure failure, string cause) =>
        WriteExit(
            new ExitRecord
            {
                ExitCode = failure.ExitCode,
                Cause = cause,
                Reason = failure.Reason,
                AtUnixNanoseconds = Loop.UnixNanoseconds,
            }
        );

    private void WriteExit(ExitRecord exit)
    {
        OnEnding();
        Now = AttemptPhase.Ending;
        Journal.Settle(() =>
        {
            Journal.RecordLast(new AttemptEvent { Event = AttemptEvent.ExitEvent, Exit = exit });
            Journal.Sync(failure => CrashPoints.Reach(CrashPoint.SupervisorExitSynced));
            Journal.Steps.Do(() => Hold.WriteExit(exit));
            Journal.Steps.Do(() => TellExited(exit));
        });
    }

    private void TellExited(ExitRecord exit)
    {
        Now = AttemptPhase.Ended;
        _exited = AttemptNotices.Exited(Attempt, exit, Journal.Position);
        Link?.Notify(_exited);
        OnEnded();
    }

    private void JournalStallChanged()
    {
        OnStallChanged();
        _run.StallChanged();
        Link?.Notify(AttemptNotices.Stall(Attempt, Journal, Loop.UnixNanoseconds));
    }
}
