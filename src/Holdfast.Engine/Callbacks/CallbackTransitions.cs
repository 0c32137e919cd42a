namespace Holdfast.Engine.Callbacks;

/// <summary>
/// What decides about a callback: its state, how many attempts have failed since it was last set going, and when the next is due.
/// </summary>
public readonly record struct CallbackStatus(CallbackState State, int Failures, long DueAt);

/// <summary>What an attempt came to.</summary>
public enum CallbackVerdict
{
    /// <summary>The receiver has it: a status of 2xx, or a command's exit code 0.</summary>
    Delivered,

    /// <summary>Not this time; another attempt may do it.</summary>
    Failed,

    /// <summary>The receiver will not have it, and asking again does not change that.</summary>
    Refused,

    /// <summary>410: the receiver is gone for good.</summary>
    Gone,
}

/// <summary>
/// The table of legal moves of a callback, as pure functions; null where a move may not be made. Times are microseconds since 1970. They
/// are applied inside the transaction that stores the new status.
/// </summary>
public static class CallbackTransitions
{
    /// <summary>
    /// Further ahead than any schedule puts an attempt: the clock was wrong when that was written, or is wrong now. Better early than
    /// never.
    /// </summary>
    public const long FarAhead = 8L * 24 * 3600 * 1_000_000;

    public static bool IsDue(long dueAt, long now) => dueAt <= now || dueAt > now + FarAhead;

    /// <summary>There is something to tell.</summary>
    public static CallbackStatus? Tell(CallbackStatus status, long now) =>
        status.State == CallbackState.Waiting ? new CallbackStatus(CallbackState.Pending, 0, now) : null;

    public static CallbackStatus? Begin(CallbackStatus status, long now) =>
        status.State == CallbackState.Pending && IsDue(status.DueAt, now) ? status with { State = CallbackState.Sending } : null;

    /// <summary>
    /// An attempt is over. <paramref name="fraction"/> from 0 to 1 is the share of the jitter; <paramref name="retryAfter"/> is what the
    /// receiver asked for, zero when it did not.
    /// </summary>
    public static CallbackStatus? End(
        CallbackStatus status,
        CallbackVerdict verdict,
        TimeSpan retryAfter,
        CallbackSchedule schedule,
        double fraction,
        long now
    )
    {
        if (status.State != CallbackState.Sending)
        {
            return null;
        }

        switch (verdict)
        {
            case CallbackVerdict.Delivered:
                return status with { State = CallbackState.Delivered };
            case CallbackVerdict.Gone:
                return status with { State = CallbackState.Disabled, Failures = status.Failures + 1 };
            case CallbackVerdict.Failed when schedule.DelayAfter(status.Failures, fraction) is { } delay:
                // Never before the receiver wants it, and never before the schedule says: a short Retry-After must not use up the attempts
                // of days within seconds.
                TimeSpan asked = retryAfter < CallbackLimits.RetryAfterMax ? retryAfter : CallbackLimits.RetryAfterMax;
                TimeSpan wait = delay > asked ? delay : asked;
                return new CallbackStatus(CallbackState.Pending, status.Failures + 1, now + (long)wait.TotalMicroseconds);
            default:
                return status with { State = CallbackState.Parked, Failures = status.Failures + 1 };
        }
    }

    /// <summary>
    /// The server died, or stopped, while an attempt was under way: nobody knows whether it arrived. It is made again at once, under the
    /// same id, and counts as no failure.
    /// </summary>
    public static CallbackStatus? Interrupt(CallbackStatus status, long now) =>
        status.State == CallbackState.Sending ? status with { State = CallbackState.Pending, DueAt = now } : null;

    /// <summary>A person wants it sent, now, and its schedule from the beginning.</summary>
    public static CallbackStatus? Redrive(CallbackStatus status, long now) =>
        status.State.IsSettled() || status.State == CallbackState.Pending ? new CallbackStatus(CallbackState.Pending, 0, now) : null;

    /// <summary>
    /// How an answer's status is read. A redirect is not followed: where a callback goes was checked when it was asked for, and a receiver
    /// behind a passing redirect comes back.
    /// </summary>
    public static CallbackVerdict Judge(int status) =>
        status switch
        {
            >= 200 and < 300 => CallbackVerdict.Delivered,
            410 => CallbackVerdict.Gone,
            408 or 425 or 429 => CallbackVerdict.Failed,
            >= 400 and < 500 => CallbackVerdict.Refused,
            _ => CallbackVerdict.Failed,
        };
}
