namespace Holdfast.Engine.Retention;

/// <summary>How long what is over is kept. What runs, waits, or is referred to by something that does is kept however old it is.</summary>
public sealed record RetentionOptions
{
    /// <summary>
    /// Executions, runs and kernels that have ended, with their idempotency keys and attempts. Default: 90 days, a quarter of a year. Zero:
    /// for ever.
    /// </summary>
    public TimeSpan Executions { get; init; } = TimeSpan.FromDays(90);

    /// <summary>
    /// What they said: the journals of attempts that have ended, which are most of the bytes. Default: 90 days. Zero: as long as the
    /// execution.
    /// </summary>
    public TimeSpan Output { get; init; } = TimeSpan.FromDays(90);

    /// <summary>
    /// After an attempt has ended, or a segment of its journal was closed, for so long, what it said is compressed. Default: 1 hour, when
    /// few still look at it. Zero: never. Since 0.2.
    /// </summary>
    public TimeSpan CompressAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Events of the feed. Default: 30 days; a follower that was away for longer is told of the gap. Zero: for ever.</summary>
    public TimeSpan Events { get; init; } = TimeSpan.FromDays(30);

    /// <summary>From one look to the next. Default: 1 hour.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromHours(1);
}
