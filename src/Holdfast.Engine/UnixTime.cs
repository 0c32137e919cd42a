using System.Globalization;

namespace Holdfast.Engine;

/// <summary>Instants as the store keeps them: whole microseconds since 1970, UTC.</summary>
public static class UnixTime
{
    public static long NowMicroseconds(this TimeProvider time) => ToMicroseconds(time.GetUtcNow());

    public static long ToMicroseconds(DateTimeOffset instant) =>
        (instant.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset FromMicroseconds(long microseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    /// <summary>What lies between two instants.</summary>
    public static TimeSpan Span(long microseconds) => TimeSpan.FromTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    /// <summary>RFC 3339 with six decimals, as everything that leaves the house has it.</summary>
    public static string Text(long microseconds) =>
        FromMicroseconds(microseconds).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    public static long FromNanoseconds(long nanoseconds) => nanoseconds / 1000;
}
