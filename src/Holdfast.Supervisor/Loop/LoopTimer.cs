namespace Holdfast.Supervisor.Loop;

/// <summary>A one-shot timer of the loop. Due times are of the monotonic clock, which stands still while the machine sleeps.</summary>
internal sealed class LoopTimer
{
    internal const long Never = long.MaxValue;
    private readonly PollLoop _loop;

    internal LoopTimer(PollLoop loop, LoopCallback callback)
    {
        _loop = loop;
        Callback = callback;
    }

    internal LoopCallback Callback { get; }
    internal long DueMs { get; set; } = Never;

    public bool IsArmed => DueMs != Never;

    /// <summary>How long until it is due; 0 when it is overdue or not armed.</summary>
    public long RemainingMs => IsArmed ? Math.Max(0, DueMs - _loop.NowMs) : 0;

    /// <summary>Arms it anew, whatever was armed before.</summary>
    public void Start(long delayMs) => DueMs = _loop.NowMs + Math.Max(0, delayMs);

    public void Stop() => DueMs = Never;

    public void Remove()
    {
        Stop();
        _loop.Removed(this);
    }
}
