using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// One child after another, each with all that is around it: its limits, its output, the orphans that it leaves to us, and the end of its
/// whole tree.
/// 1. It is prepared, launched and begun. 2. It may be signalled, paused, and terminated with its tree. 3. When it has ended it is wound
/// up: a tree under termination is ended to the last, and its output read to its end, for two seconds if somebody else holds it. 4. It is
/// concluded by the record of its exit. Knows nothing of the link; who asked for what, and why, is <see cref="AttemptWork"/>'s.
/// </summary>
internal sealed class ChildRun : IDisposable
{
    private readonly PollLoop _loop;
    private readonly LoopCallback _memoryExceeded;
    private readonly LoopCallback _ended;
    private readonly LoopCallback _advanced;
    private readonly ChildOutput _output;
    private readonly OrphanWatch _orphans;
    private AttemptSpec? _spec;
    private AttemptJournal? _journal;
    private ChildLimits? _limits;
    private Child? _child;
    private TreeStop? _stop;

    /// <param name="memoryExceeded">It uses more memory than it may.</param>
    /// <param name="ended">The child has ended and its status is taken; to be wound up.</param>
    /// <param name="advanced">It may be ready to be concluded now: its tree has been stopped, or one of its streams is at its end.</param>
    public ChildRun(PollLoop loop, LoopCallback memoryExceeded, LoopCallback ended, LoopCallback advanced)
    {
        (_loop, _memoryExceeded, _ended, _advanced) = (loop, memoryExceeded, ended, advanced);
        _output = new ChildOutput(loop, advanced);
        // Its number may be another's by now.
        _orphans = new OrphanWatch(loop, () => _ = Reaper.Reap(_child is { IsReaped: false } ? _child : null));
    }

    /// <summary>What the child runs on, while it runs and if it does.</summary>
    public PseudoTerminal? Terminal => _output.Terminal;

    /// <summary>The child's pid while it is surely its own; else 0.</summary>
    public int Pid => _child is { IsReaped: false } child ? child.Process.Pid : 0;

    /// <summary>The child that was launched; there is one from <see cref="Begin"/> on.</summary>
    public ChildRecord Record => new(_child!.Process, _child.StartedAtUnixNanoseconds);

    // 1. The start.

    /// <summary>
    /// Makes what the next child needs before it can be launched. Throws an IOException when the system gives nothing to write to.
    /// </summary>
    public void Prepare(AttemptSpec spec, AttemptJournal journal)
    {
        (_spec, _journal) = (spec, journal);
        _limits = new ChildLimits(_loop, spec, _memoryExceeded);
        _output.Open(spec, journal);
    }

    /// <summary>False, and why, when there is no child. Either is to be followed by <see cref="Begin"/> or <see cref="Abandon"/>.</summary>
    public bool TryLaunch(ChildStart start, out StartFailure? failure)
    {
        _child = Child.Launch(_loop, _output.Give(start), ChildEnded, out failure);
        return _child is not null;
    }

    public void Begin()
    {
        int pid = _child!.Process.Pid;
        _output.Read();
        OomScore.ResetFor(pid);
        _limits!.Apply(pid);
    }

    public void Abandon() => _output.Abandon();

    // 2. While it runs.

    /// <summary>Signals the child's group; false when there is none any more.</summary>
    public bool TrySignal(int signal)
    {
        if (_child is not { } child || !child.SignalGroup(signal))
        {
            return false;
        }

        child.WasKilled |= signal == Libc.SigKill;
        return true;
    }

    public void Pause() => TreePause.Pause(_child!);

    public void Resume() => TreePause.Resume(_child!);

    /// <summary>
    /// TERM, <paramref name="graceMs"/>, KILL, for the child and everything below it. Nothing more when that is under way.
    /// </summary>
    public void Terminate(long graceMs)
    {
        if (_stop is null && _child is not null)
        {
            _stop = new TreeStop(_loop, _child, hangsUp: _spec!.Pty, TreeStopped);
            _stop.Begin(graceMs);
        }
    }

    /// <summary>A termination that is under way is to take no longer than this.</summary>
    public void Hasten(long graceMs) => _stop?.Hasten(graceMs);

    /// <summary>Kills the child's group at once, and then whoever is left below it.</summary>
    public void Kill()
    {
        if (_child is { IsReaped: false } child)
        {
            child.WasKilled = true;
            _ = child.SignalGroup(Libc.SigKill);
        }

        Hasten(0);
        Terminate(0);
    }

    /// <summary>Follows the journal: no output is read while it is stalled.</summary>
    public void StallChanged() => _output.StallChanged();

    // 3. The end of the child.

    /// <param name="treeGraceMs">What its descendants are given if they are to be ended, too; null when they may live on.</param>
    public void WindUp(long? treeGraceMs)
    {
        _output.CloseTerminal();
        if (_stop is null && treeGraceMs is { } graceMs)
        {
            Terminate(graceMs);
        }
        else
        {
            _stop?.ChildEnded();
        }
    }

    /// <summary>
    /// True when the tree is stopped, if it was to be, and the output read; waits for the latter a while, and then tells.
    /// </summary>
    public bool IsReadyToConclude()
    {
        if (_stop is { IsDone: false })
        {
            return false;
        }

        if (!_output.IsClosed)
        {
            _output.EndSoon();
            return false;
        }

        return true;
    }

    // 4. The record.

    /// <param name="stopCause">Why it was being stopped when it died; null when it was not.</param>
    /// <param name="remark">What the reason says beyond the death itself; null for nothing.</param>
    public ExitRecord Conclude(string? stopCause, string? remark)
    {
        Child child = _child!;
        _output.End();
        DeathCause death = DeathCause.Decide(child.Status, stopCause, child.WasKilled, _limits!.EvidenceOf(child));
        string reason = death.Reason;
        if (_stop is { LeftBehind: > 0 } stop)
        {
            reason += $" {stop.LeftBehind} of its descendants could not be ended.";
        }

        if (_limits.Remark is { } memory)
        {
            reason += " " + memory;
        }

        if (_output.WasLeftOpen)
        {
            reason += " A descendant still held its output then.";
        }

        return new ExitRecord
        {
            ExitCode = child.Status.ExitCode,
            Signal = child.Status.Signal,
            CoreDumped = child.Status.HasDumpedCore,
            Cause = death.Cause,
            Reason = remark is null ? reason : reason + " " + remark,
            AtUnixNanoseconds = child.EndedAtUnixNanoseconds,
            OutputStillOpen = _output.WasLeftOpen,
            StdoutBytes = _journal!.StreamLength(JournalChannel.Stdout),
            StderrBytes = _journal.StreamLength(JournalChannel.Stderr),
            UserMs = child.Use.UserMs,
            SystemMs = child.Use.SystemMs,
            MaxRssKb = child.Use.MaxRssKb,
        };
    }

    /// <summary>Forgets the last child, for the next.</summary>
    public void Clear()
    {
        _child = null;
        _stop = null;
        _limits?.Dispose();
        _limits = null;
    }

    /// <summary>The child, if there is one, is not touched.</summary>
    public void Dispose()
    {
        _orphans.Dispose();
        _output.Dispose();
        _limits?.Dispose();
    }

    private void ChildEnded()
    {
        _limits!.Stop();
        _ended();
    }

    private void TreeStopped()
    {
        if (_stop!.LeftBehind > 0)
        {
            SupervisorLog.Write($"{_stop.LeftBehind} processes could not be ended");
        }

        _advanced();
    }
}
