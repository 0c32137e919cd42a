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
public abstract class AttemptWork : Work, IDisposable
{
    private const int ReapIntervalMsMin = 1000;
    private const int ReapIntervalMsMax = 64_000;

    /// <summary>Requests that only add to the waiting steps are refused past this while the disk is full.</summary>
    private const int SignalMax = 64;

    private readonly ChildOutput _output;
    private readonly LoopTimer _reapTimer;
    private readonly LoopTimer _timeout;
    private int _reapIntervalMs;
    private Child? _child;
    private TreeStop? _stop;
    private OomWatch? _oomWatch;
    private ControlGroup? _group;
    private MemoryLimit? _memoryLimit;
    private string? _stopCause;
    private string? _stopCauseOfDeath;
    private long _timeoutRemainingMs;
    private long _graceAsked;
    private LinkMessage? _started;
    private LinkMessage? _exited;

    protected AttemptWork(PollLoop loop, AttemptHold hold)
    {
        Loop = loop;
        Hold = hold;
        Journal = new AttemptJournal(loop, hold.Files.Journal) { StallChanged = JournalStallChanged };
        _output = new ChildOutput(loop, OutputClosed);
        _reapTimer = loop.AddTimer(ReapOrphans);
        _timeout = loop.AddTimer(() => Stop(ExitCause.TimedOut, Spec.GraceMs));
    }

    /// <summary>Where an attempt stands.</summary>
    protected enum Phase
    {
        Starting,
        Running,

        /// <summary>The child has ended; its pipes are read to their end.</summary>
        Draining,

        /// <summary>The exit record is on its way to the disk.</summary>
        Ending,

        /// <summary>The exit record is durable and told.</summary>
        Ended,
    }

    /// <summary>Set by whoever wires the two, before <see cref="Begin"/>.</summary>
    public LinkServer? Link { get; set; }

    public override string Attempt => Spec.Attempt;

    public override string Directory => Hold.Files.Directory;

    public override string Nonce => Spec.Nonce;

    public override long JournalPosition => Journal.Position;

    public override bool IsJournalComplete => Journal.IsComplete;

    public override string State => Now switch
    {
        Phase.Starting => "starting",
        Phase.Running when _stopCause is not null => "stopping",
        Phase.Running when IsPaused => "paused",
        Phase.Running => "running",
        Phase.Ended => "idle",
        _ => "ending",
    };

    public AttemptJournal Journal { get; private set; }

    protected PollLoop Loop { get; }

    protected AttemptHold Hold { get; private set; }

    protected AttemptSpec Spec => Hold.Spec;

    protected Phase Now { get; private set; }

    protected bool IsPaused { get; private set; }

    /// <summary>Somebody asked for the end, or the time was up.</summary>
    protected bool IsStopping => _stopCause is not null;

    /// <summary>What the child runs on, while it runs and if it does.</summary>
    private protected PseudoTerminal? Terminal => _output.Terminal;

    /// <summary>The child's pid while it is surely its own; else 0.</summary>
    protected int ChildPid => _child is { IsReaped: false } child ? child.Process.Pid : 0;

    /// <summary>Step 1, and by it all that follows.</summary>
    public void Begin()
    {
        Journal.Steps.Do(Journal.Open);
        Journal.Record(new AttemptEvent { Event = AttemptEvent.Start, Attempt = Spec.Attempt, Argv = Spec.Argv });
        Journal.Sync(StartSynced);
    }

    /// <summary>Lets go of the journal and the lock. The child, if there is one, is not touched.</summary>
    public virtual void Dispose()
    {
        _output.Dispose();
        _memoryLimit?.Dispose();
        _group?.Remove();
        Journal.Dispose();
        Hold.Dispose();
        GC.SuppressFinalize(this);
    }

    public override void Handle(LinkRequest request)
    {
        switch (request.Type)
        {
            case LinkMessageType.Signal:
                HandleSignal(request);
                break;
            case LinkMessageType.Pause:
                HandlePause(request);
                break;
            case LinkMessageType.Resume:
                HandleResume(request);
                break;
            case LinkMessageType.Stop:
                HandleStop(request);
                break;
            default:
                request.Refuse(LinkCodes.NotSupported, $"The supervisor of a {Mode} does not take {request.Type}.");
                break;
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

        if (IsPaused)
        {
            connection.Send(Notice(LinkMessageType.Paused));
        }

        if (Journal.IsStalled)
        {
            connection.Send(StallNotice());
        }
    }

    /// <summary>What to launch. The child's descriptors of standard output and error are the caller's to add; standard input may be set.</summary>
    protected virtual ChildStart Prepare() => new(Spec.Argv, ChildEnvironment(), Spec.Cwd);

    /// <summary>The child runs, child.json is written and `started` told.</summary>
    protected virtual void OnStarted()
    {
    }

    /// <summary>The child has ended, by itself or not; its status is taken. Output and its record may still be to come.</summary>
    protected virtual void OnChildEnded()
    {
    }

    /// <summary>The exit record is durable and told; the lock is still held.</summary>
    protected abstract void OnEnded();

    /// <summary>
    /// A stop was asked for. True when the work ends its child in its own way first (a kernel is asked to shut down) and will call
    /// <see cref="Terminate"/>; TERM and KILL follow at once when false.
    /// </summary>
    protected virtual bool TryEndGently(long graceMs) => false;

    /// <summary>Nothing more is to come from the child by other ways than its pipes; whoever answers false calls <see cref="Drain"/> when that has changed.</summary>
    protected virtual bool IsDrained => true;

    /// <summary>The exit record comes next: the last moment for events.</summary>
    protected virtual void OnEnding()
    {
    }

    /// <summary>The journal has stalled, or goes on: sources other than the pipes are to be left alone, or read again.</summary>
    protected virtual void OnStallChanged()
    {
    }

    /// <summary>What the exit record's reason says beyond the death itself; null for nothing.</summary>
    protected virtual string? ExitRemark => null;

    /// <summary>The child's environment: what the spec names and has, and the mark by which what a dead supervisor left behind is known as ours.</summary>
    protected string[] ChildEnvironment()
    {
        const int nonceCharacters = 16;
        string[] environment = new string[Spec.Inherit.Length + Spec.Environment.Length + 1];
        int count = 0;
        foreach (string name in Spec.Inherit)
        {
            if (System.Environment.GetEnvironmentVariable(name) is { } value)
            {
                environment[count++] = name + "=" + value;
            }
        }

        Spec.Environment.CopyTo(environment, count);
        count += Spec.Environment.Length;
        environment[count++] = "HOLDFAST_ATTEMPT=" + Spec.Attempt + ":" + Spec.Nonce[..Math.Min(nonceCharacters, Spec.Nonce.Length)];
        return environment[..count];
    }

    /// <summary>Takes up a new attempt after the last one has ended.</summary>
    protected void Renew(AttemptHold hold)
    {
        Hold = hold;
        Journal = new AttemptJournal(Loop, hold.Files.Journal) { StallChanged = JournalStallChanged };
        Now = Phase.Starting;
        IsPaused = false;
        _child = null;
        _stop = null;
        _memoryLimit?.Dispose();
        _group?.Remove();
        (_memoryLimit, _group) = (null, null);
        _stopCause = _stopCauseOfDeath = null;
        _started = _exited = null;
    }

    /// <summary>Stops the work as a request to stop does.</summary>
    protected void Stop(string cause, long graceMs)
    {
        if (_stopCause is not null)
        {
            _stop?.Hasten(graceMs);
            return;
        }

        _stopCause = cause;
        _graceAsked = graceMs;
        _timeout.Stop();
        if (Now is not (Phase.Running or Phase.Draining))
        {
            // Before the launch: it will not happen. After the end: there is nothing left to stop.
            return;
        }

        Journal.Record(new AttemptEvent { Event = AttemptEvent.Stop, Cause = cause });
        if (Now == Phase.Draining || !TryEndGently(graceMs))
        {
            Terminate(graceMs);
        }
    }

    /// <summary>TERM, <paramref name="graceMs"/>, KILL, for the child and everything below it.</summary>
    protected void Terminate(long graceMs)
    {
        if (_stop is not null || _child is null || Now is not (Phase.Running or Phase.Draining))
        {
            return;
        }

        _stop = new TreeStop(Loop, _child, hangsUp: Spec.Pty, TreeStopped);
        _stop.Begin(graceMs);
    }

    /// <summary>Signals the child's group; false when there is none any more.</summary>
    protected bool SignalChild(int signal) => _child is { } child && child.SignalGroup(signal);

    /// <summary>A notice about the current attempt.</summary>
    protected LinkMessage Notice(LinkMessageType type) => new() { Type = type, Attempt = Attempt, AtUnixNanoseconds = Loop.UnixNanoseconds };

    // 1 and 2: the start.

    private void StartSynced(string? failure)
    {
        CrashPoints.Reach(CrashPoint.SupervisorStartSynced);
        if (failure is not null)
        {
            EndWithoutChild(new StartFailure(StartFailure.OtherCode, $"The journal cannot be made durable: {failure}"), ExitCause.NotStarted);
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
        _group = Spec.MemoryBytesMax > 0 || Spec.CpuMillisMax > 0 ? ControlGroup.TryMake("/", Spec.Attempt, ControlGroup.IsDelegated) : null;
        _memoryLimit = Spec.MemoryBytesMax > 0 ? new MemoryLimit(Loop, _group, Spec.MemoryBytesMax, MemoryExceeded) : null;
        CpuLimit? cpuLimit = Spec.CpuMillisMax > 0 ? new CpuLimit(_group, Spec.CpuMillisMax) : null;
        _oomWatch = new OomWatch("/", _memoryLimit?.EventsFile);
        try
        {
            _output.Open(Spec, Journal);
        }
        catch (IOException e)
        {
            EndWithoutChild(new StartFailure(StartFailure.OtherCode, $"There is nothing for it to write to: {e.Message}"), ExitCause.NotStarted);
            return;
        }

        ChildStart start = _output.Give(Prepare());
        _child = Child.Launch(Loop, start, ChildEnded, out StartFailure? failure);
        Launched(start);
        if (_child is null)
        {
            _output.Abandon();
            EndWithoutChild(failure!, ExitCause.NotStarted);
            return;
        }

        _output.Read();
        Run(cpuLimit);
    }

    private void Run(CpuLimit? cpuLimit)
    {
        Now = Phase.Running;
        OomScore.ResetFor(_child!.Process.Pid);
        bool isInGroup = _group is not null && _group.TryAdd(_child.Process.Pid);
        _memoryLimit?.Apply(_child.Process.Pid, isInGroup);
        cpuLimit?.Apply(_child.Process.Pid, isInGroup);
        TellStarted(_child);
    }

    /// <summary>The child has its descriptors, or never will: what <see cref="Prepare"/> opened for it can be closed.</summary>
    protected virtual void Launched(ChildStart start)
    {
    }

    private void TellStarted(Child child)
    {
        var record = new ChildRecord(child.Process, child.StartedAtUnixNanoseconds);
        Journal.Steps.Do(() => DurableFile.Replace(Hold.Files.Child, record.Write()));
        Journal.Record(new AttemptEvent { Event = AttemptEvent.Started, Pid = child.Process.Pid, StartTicks = child.Process.StartTicks });
        Journal.Steps.Do(() =>
        {
            CrashPoints.Reach(CrashPoint.SupervisorChildRecorded);
            _started = new LinkMessage
            {
                Type = LinkMessageType.Started, Attempt = Attempt, Pid = child.Process.Pid, StartTicks = child.Process.StartTicks,
                BootId = child.Process.BootId, AtUnixNanoseconds = child.StartedAtUnixNanoseconds,
            };
            Link?.Notify(_started);
            if (Now == Phase.Running)
            {
                OnStarted();
            }
        });
        if (Spec.TimeoutMs > 0)
        {
            _timeout.Start(Spec.TimeoutMs);
        }

        _reapIntervalMs = ReapIntervalMsMin;
        _reapTimer.Start(_reapIntervalMs);
    }

    // 3: requests.

    private void HandleSignal(LinkRequest request)
    {
        int signal = request.Message.Signal;
        if (signal is < 1 or > SignalMax)
        {
            request.Refuse(LinkCodes.SignalInvalid, $"{signal} is not a signal; they go from 1 to {SignalMax}.");
        }
        else if (_child is not { } child || !child.SignalGroup(signal))
        {
            request.Refuse(LinkCodes.NotRunning, "Nothing runs here that could be signalled.");
        }
        else
        {
            child.WasKilled |= signal == Libc.SigKill;
            request.Done();
        }
    }

    private void HandlePause(LinkRequest request)
    {
        if (Now != Phase.Running || _child is null)
        {
            request.Refuse(LinkCodes.NotRunning, "Nothing runs here that could be paused.");
        }
        else if (IsStopping)
        {
            request.Refuse(LinkCodes.NotPausable, "It is being stopped.");
        }
        else
        {
            request.Done();
            if (!IsPaused)
            {
                Pause(_child);
            }
        }
    }

    private void Pause(Child child)
    {
        IsPaused = true;

        // Paused time does not count: it was somebody's order, and no reason to lose the work.
        _timeoutRemainingMs = _timeout.IsArmed ? Math.Max(1, _timeout.RemainingMs) : 0;
        _timeout.Stop();
        TreePause.Pause(child);
        Journal.Record(new AttemptEvent { Event = AttemptEvent.Paused });
        Link?.Notify(Notice(LinkMessageType.Paused));
    }

    private void HandleResume(LinkRequest request)
    {
        if (Now != Phase.Running || _child is null)
        {
            request.Refuse(LinkCodes.NotRunning, "Nothing runs here that could be resumed.");
            return;
        }

        request.Done();
        if (!IsPaused)
        {
            return;
        }

        IsPaused = false;
        if (_timeoutRemainingMs > 0 && !IsStopping)
        {
            _timeout.Start(_timeoutRemainingMs);
        }

        TreePause.Resume(_child);
        Journal.Record(new AttemptEvent { Event = AttemptEvent.Resumed });
        Link?.Notify(Notice(LinkMessageType.Resumed));
    }

    private void HandleStop(LinkRequest request)
    {
        if (Now is Phase.Ending or Phase.Ended)
        {
            request.Refuse(LinkCodes.NotRunning, "Nothing runs here that could be stopped.");
            return;
        }

        request.Done();
        LinkMessage message = request.Message;
        Stop(message.Cause ?? ExitCause.Cancelled, message.GraceMs == 0 ? Spec.GraceMs : Math.Max(0, message.GraceMs));
    }

    /// <summary>No time to end gently: it takes more memory by the moment.</summary>
    private void MemoryExceeded()
    {
        if (Now == Phase.Running && _stopCause is null)
        {
            _stopCause = ExitCause.OutOfMemory;
            _timeout.Stop();
            Journal.Record(new AttemptEvent { Event = AttemptEvent.Stop, Cause = ExitCause.OutOfMemory });
        }

        if (_child is { IsReaped: false } child)
        {
            child.WasKilled = true;
            _ = child.SignalGroup(Libc.SigKill);
        }

        _stop?.Hasten(0);
        Terminate(0);
    }

    // 4: the end.

    private void ReapOrphans()
    {
        // Orphans come up to us without a word. Looked for more rarely the longer none came; none is in a hurry.
        int reaped = Reaper.Reap(_child);
        _reapIntervalMs = reaped > 0 ? ReapIntervalMsMin : Math.Min(_reapIntervalMs * 2, ReapIntervalMsMax);
        if (Now is Phase.Running or Phase.Draining)
        {
            _reapTimer.Start(_reapIntervalMs);
        }
    }

    private void ChildEnded()
    {
        CrashPoints.Reach(CrashPoint.SupervisorReaped);
        _timeout.Stop();
        _stopCauseOfDeath = _stopCause;
        _memoryLimit?.Stop();
        Now = Phase.Draining;
        OnChildEnded();
        _output.CloseTerminal();
        if (_stopCause is not null && _stop is null)
        {
            // It ended in the gentle phase; its descendants get the rest of the treatment.
            Terminate(_graceAsked);
        }
        else
        {
            _stop?.ChildEnded();
        }

        Drain();
    }

    private void TreeStopped()
    {
        if (_stop!.LeftBehind > 0)
        {
            SupervisorLog.Write($"{_stop.LeftBehind} processes could not be ended");
        }

        Drain();
    }

    private void OutputClosed()
    {
        if (Now == Phase.Draining)
        {
            Drain();
        }
    }

    /// <summary>Goes on when the child has ended, the tree is stopped if it was to be, and the pipes are at their end; waits for the latter a while.</summary>
    protected void Drain()
    {
        if (Now != Phase.Draining || _stop is { IsDone: false })
        {
            return;
        }

        if (!_output.IsClosed)
        {
            _output.EndSoon();
        }
        else if (IsDrained)
        {
            End();
        }
    }

    // 5: the record of the end.

    private void End()
    {
        Child child = _child!;
        _output.End();
        _reapTimer.Stop();
        bool mayBeOom = child.Status.Signal == Libc.SigKill || child.Status.ExitCode == 128 + Libc.SigKill;
        OomEvidence evidence = mayBeOom && !child.WasKilled ? _oomWatch!.Evidence(child.Process) : OomEvidence.None;
        DeathCause death = DeathCause.Decide(child.Status, _stopCauseOfDeath, child.WasKilled, evidence);
        string reason = death.Reason;
        if (_stop is { LeftBehind: > 0 } stop)
        {
            reason += $" {stop.LeftBehind} of its descendants could not be ended.";
        }

        if (_memoryLimit?.Remark is { } remark)
        {
            reason += " " + remark;
        }

        if (_output.WasLeftOpen)
        {
            reason += " A descendant still held its output then.";
        }

        WriteExit(new ExitRecord
        {
            ExitCode = child.Status.ExitCode, Signal = child.Status.Signal, CoreDumped = child.Status.HasDumpedCore, Cause = death.Cause,
            Reason = ExitRemark is { } more ? reason + " " + more : reason, AtUnixNanoseconds = child.EndedAtUnixNanoseconds,
            OutputStillOpen = _output.WasLeftOpen, StdoutBytes = Journal.StreamLength(JournalChannel.Stdout),
            StderrBytes = Journal.StreamLength(JournalChannel.Stderr), UserMs = child.Use.UserMs, SystemMs = child.Use.SystemMs,
            MaxRssKb = child.Use.MaxRssKb,
        });
    }

    private void EndWithoutChild(StartFailure failure, string cause) =>
        WriteExit(new ExitRecord { ExitCode = failure.ExitCode, Cause = cause, Reason = failure.Reason, AtUnixNanoseconds = Loop.UnixNanoseconds });

    private void WriteExit(ExitRecord exit)
    {
        OnEnding();
        Now = Phase.Ending;
        Journal.Settle(() =>
        {
            Journal.RecordLast(new AttemptEvent { Event = AttemptEvent.ExitEvent, Exit = exit });
            Journal.Sync(failure => CrashPoints.Reach(CrashPoint.SupervisorExitSynced));
            Journal.Steps.Do(() => WriteExitFile(exit));
            Journal.Steps.Do(() => TellExited(exit));
        });
    }

    private void WriteExitFile(ExitRecord exit)
    {
        if (!System.IO.Directory.Exists(Hold.Files.Directory))
        {
            // Somebody removed the attempt under us: there is no place for a record and nobody to read it.
            SupervisorLog.Write($"the folder {Hold.Files.Directory} is gone");
            return;
        }

        DurableFile.Replace(Hold.Files.Exit, exit.Write()); // The journal's exit record, synced before, is the durable one.
        CrashPoints.Reach(CrashPoint.SupervisorExitRecorded);
    }

    private void TellExited(ExitRecord exit)
    {
        Now = Phase.Ended;
        _exited = new LinkMessage
        {
            Type = LinkMessageType.Exited, Attempt = Attempt, ExitCode = exit.ExitCode, Signal = exit.Signal ?? 0, Cause = exit.Cause,
            Reason = exit.Reason, AtUnixNanoseconds = exit.AtUnixNanoseconds, Position = Journal.Position,
        };
        Link?.Notify(_exited);
        OnEnded();
    }

    private void JournalStallChanged()
    {
        OnStallChanged();
        _output.StallChanged();
        Link?.Notify(StallNotice());
    }

    private LinkMessage StallNotice() => new()
    {
        Type = Journal.IsStalled ? LinkMessageType.Stalled : LinkMessageType.Unstalled, Attempt = Attempt,
        Reason = Journal.IsStalled ? Journal.Steps.StallReason : null, AtUnixNanoseconds = Loop.UnixNanoseconds,
    };
}
