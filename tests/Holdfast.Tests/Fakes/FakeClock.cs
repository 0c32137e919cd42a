namespace Holdfast.Tests.Fakes;

/// <summary>
/// A clock that stands still until it is turned. What falls due is called by <see cref="Turn"/>, in the order of time, before it returns.
/// </summary>
internal sealed class FakeClock : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<FakeTimer> _timers = []; // guarded by _lock
    private readonly List<(Func<int, bool> IsMet, TaskCompletionSource Done)> _expecting = []; // guarded by _lock
    private TimeSpan _elapsed = TimeSpan.FromDays(20_000); // guarded by _lock
    private TimeSpan _jumped; // guarded by _lock

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_lock)
        {
            return _elapsed.Ticks;
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return DateTimeOffset.UnixEpoch + _elapsed + _jumped;
        }
    }

    /// <summary>Somebody sets the time of day: durations and timers take no notice.</summary>
    public void Jump(TimeSpan by)
    {
        lock (_lock)
        {
            _jumped += by;
        }
    }

    /// <summary>Completes when so many timers are set, so that a test turns the clock for somebody who really waits for it.</summary>
    public Task TimerSetAsync(int least = 1) => ExpectAsync(count => count >= least);

    /// <summary>Completes when no timer is left: nothing goes on costing something when everybody has gone.</summary>
    public Task NoTimerAsync() => ExpectAsync(static count => count == 0);

    public void Turn(TimeSpan by)
    {
        TimeSpan target;
        lock (_lock)
        {
            target = _elapsed + by;
        }

        while (NextDue(target) is { } due)
        {
            due.Call();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private Task ExpectAsync(Func<int, bool> isMet)
    {
        lock (_lock)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _expecting.Add((isMet, done));
            Tell();
            return done.Task;
        }
    }

    private void Tell()
    {
        int count = _timers.Count;
        _expecting.FindAll(e => e.IsMet(count)).ForEach(static e => e.Done.TrySetResult());
        _expecting.RemoveAll(e => e.IsMet(count));
    }

    private FakeTimer? NextDue(TimeSpan target)
    {
        lock (_lock)
        {
            FakeTimer? due = _timers.Where(t => t.Due <= target).MinBy(static t => t.Due);
            _elapsed = due?.Due ?? target;
            if (due is { Period: var period } && period > TimeSpan.Zero)
            {
                due.Due += period;
            }
            else if (due is not null)
            {
                _timers.Remove(due);
            }

            return due;
        }
    }

    private void Set(FakeTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        lock (_lock)
        {
            _timers.Remove(timer);
            if (dueTime >= TimeSpan.Zero)
            {
                (timer.Due, timer.Period) = (_elapsed + dueTime, period);
                _timers.Add(timer);
            }

            Tell();
        }
    }

    private sealed class FakeTimer(FakeClock clock, TimerCallback callback, object? state) : ITimer
    {
        public TimeSpan Due { get; set; }

        public TimeSpan Period { get; set; }

        public void Call() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            clock.Set(this, dueTime, period);
            return true;
        }

        public void Dispose() => clock.Set(this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
