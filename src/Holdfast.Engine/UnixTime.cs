namespace Holdfast.Engine;

/// <summary>Instants as the store keeps them: whole microseconds since 1970, UTC.</summary>
public static class UnixTime
{
    public static long NowMicroseconds(this TimeProvider time) => ToMicroseconds(time.GetUtcNow());

    public static long ToMicroseconds(DateTimeOffset instant) => (instant.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset FromMicroseconds(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    /// <summary>What lies between two instants.</summary>
    public static TimeSpan Span(long microseconds) => TimeSpan.FromTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    public static long FromNanoseconds(long nanoseconds) => nanoseconds / 1000;
}
