using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Attempts;

/// <summary>How long the work may run. Paused time does not count: it was somebody's order, and no reason to lose the work.</summary>
internal sealed class TimeAllowance
{
    private readonly LoopTimer _timer;
    private long _heldMs; // What was left at the pause; 0 while not held.

    public TimeAllowance(PollLoop loop, LoopCallback isUsedUp) => _timer = loop.AddTimer(isUsedUp);

    /// <param name="allowedMs">0 for any time at all.</param>
    public void Start(long allowedMs)
    {
        if (allowedMs > 0)
        {
            _timer.Start(allowedMs);
        }
    }

    public void Hold()
    {
        _heldMs = _timer.IsArmed ? Math.Max(1, _timer.RemainingMs) : 0;
        _timer.Stop();
    }

    public void GoOn()
    {
        Start(_heldMs);
        _heldMs = 0;
    }

    public void Stop()
    {
        _heldMs = 0;
        _timer.Stop();
    }
}
