using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Children;

/// <summary>Reaps the orphans that come up to us, which they do without a word: looked for more rarely the longer none came, for none is in a hurry.</summary>
internal sealed class OrphanWatch
{
    private const int IntervalMsMin = 1000;
    private const int IntervalMsMax = 64_000;

    private readonly LoopTimer _timer;
    private Child? _child;
    private int _intervalMs;

    public OrphanWatch(PollLoop loop) => _timer = loop.AddTimer(Look);

    /// <param name="child">Whose own end may be found on the way.</param>
    public void Start(Child child)
    {
        _child = child;
        _intervalMs = IntervalMsMin;
        _timer.Start(_intervalMs);
    }

    public void Stop()
    {
        _child = null;
        _timer.Stop();
    }

    private void Look()
    {
        int reaped = Reaper.Reap(_child);
        _intervalMs = reaped > 0 ? IntervalMsMin : Math.Min(_intervalMs * 2, IntervalMsMax);
        if (_child is not null)
        {
            _timer.Start(_intervalMs);
        }
    }
}
