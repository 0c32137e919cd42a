namespace Holdfast.Engine.Retention;

/// <summary>
/// Notices that somebody set the time of day by more than a day. What goes by age waits for a day then: a clock that was wrong for an hour
/// is put right meanwhile, and one that was put right has its way a day later.
/// </summary>
internal sealed class ClockDrift(TimeProvider time)
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private DateTimeOffset _wall = time.GetUtcNow();
    private long _steady = time.GetTimestamp();
    private long? _since;

    /// <summary>How far the time of day is off from what it should be; null when it is believed.</summary>
    public TimeSpan? Look()
    {
        TimeSpan off = time.GetUtcNow() - _wall - time.GetElapsedTime(_steady);
        if (off.Duration() < Day)
        {
            _since = null;
            return null;
        }

        _since ??= time.GetTimestamp();
        if (time.GetElapsedTime(_since.Value) < Day)
        {
            return off;
        }

        (_wall, _steady, _since) = (time.GetUtcNow(), time.GetTimestamp(), null);
        return null;
    }
}
