using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// Ends a child and everything below it. 1. TERM (on a terminal HUP too) to its group and to descendants outside it, then CONT to the same,
/// for a stopped process acts on nothing. 2. Whoever is left when the grace is over gets KILL, again and again as the killed ones' children
/// come up to us, until nobody is left.
/// 3. What cannot be killed (another user's, or stuck in the system for ten seconds) is counted and left.
/// </summary>
internal sealed class TreeStop
{
    private const int KillPatienceMs = 10_000;
    private const int LookIntervalMs = 20;
    private const int KillIntervalMsMax = 100;

    private readonly PollLoop _loop;
    private readonly Child _child;
    private readonly bool _hangsUp;
    private readonly LoopCallback _done;
    private readonly LoopTimer _graceTimer;
    private readonly LoopTimer _lookTimer;
    private long _killingSinceMs;
    private int _killIntervalMs = 1;
    private bool _isKilling;

    /// <param name="hangsUp">They are on a terminal that goes: HUP comes with TERM, for an interactive shell takes no other.</param>
    /// <param name="done">Called once, when nobody is left that could be ended.</param>
    public TreeStop(PollLoop loop, Child child, bool hangsUp, LoopCallback done)
    {
        _hangsUp = hangsUp;
        _loop = loop;
        _child = child;
        _done = done;
        _graceTimer = loop.AddTimer(BeginKilling);
        _lookTimer = loop.AddTimer(Look);
    }

    public bool IsDone { get; private set; }

    /// <summary>How many had to be left; only when done.</summary>
    public int LeftBehind { get; private set; }

    /// <summary>Sends TERM and gives them the time; 0 goes on to KILL at once.</summary>
    public void Begin(long graceMs)
    {
        SignalAll(Libc.SigTerm);
        if (_hangsUp)
        {
            SignalAll(Libc.SigHup);
        }

        SignalAll(Libc.SigCont);
        if (graceMs <= 0)
        {
            BeginKilling();
            return;
        }

        _graceTimer.Start(graceMs);
        ChildEnded();
    }

    /// <summary>A second request may be in more of a hurry; it never prolongs.</summary>
    public void Hasten(long graceMs)
    {
        if (!_isKilling && !IsDone && graceMs < _graceTimer.RemainingMs)
        {
            _graceTimer.Start(graceMs);
        }
    }

    /// <summary>
    /// The launched process is gone. Its descendants have no pidfd here, so for the rest of the grace they are looked after by a timer.
    /// </summary>
    public void ChildEnded()
    {
        if (_child.IsReaped && !IsDone && !_isKilling)
        {
            Look();
        }
    }

    private void Look()
    {
        _ = Reaper.Reap(_child);
        if (IsDone)
        {
            return;
        }

        if (!Reaper.HasChildren())
        {
            Finish(0);
        }
        else if (_isKilling)
        {
            KillAll();
        }
        else if (_child.IsReaped)
        {
            _lookTimer.Start(LookIntervalMs);
        }
    }

    private void BeginKilling()
    {
        _isKilling = true;
        _graceTimer.Stop();
        _killingSinceMs = _loop.NowMs;
        Look();
    }

    private void KillAll()
    {
        if (!_child.IsReaped)
        {
            _child.WasKilled = true;
            _ = _child.SignalGroup(Libc.SigKill);
        }

        List<Descendant> all = ProcessTree.Find();
        int forbidden = 0;
        foreach (Descendant descendant in all)
        {
            forbidden += descendant.Signal(Libc.SigKill) == Posix.Eperm ? 1 : 0;
        }

        bool isAllForbidden = forbidden > 0 && forbidden == all.Count && _child.IsReaped;
        if (isAllForbidden || _loop.NowMs - _killingSinceMs > KillPatienceMs)
        {
            Finish(all.Count);
            return;
        }

        _lookTimer.Start(_killIntervalMs);
        _killIntervalMs = Math.Min(_killIntervalMs * 2, KillIntervalMsMax);
    }

    private void SignalAll(int signal)
    {
        _ = _child.SignalGroup(signal);
        foreach (Descendant descendant in ProcessTree.Find())
        {
            if (_child.IsReaped || descendant.GroupId != _child.Process.Pid)
            {
                _ = descendant.Signal(signal);
            }
        }
    }

    private void Finish(int leftBehind)
    {
        IsDone = true;
        LeftBehind = leftBehind;
        _graceTimer.Remove();
        _lookTimer.Remove();
        _done();
    }
}
