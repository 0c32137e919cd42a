namespace Holdfast.Tests.Supervisor.Loop;

/// <summary>A clock that stands still until it is turned.</summary>
internal sealed class HandClock : TimeProvider
{
    private TimeSpan _elapsed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _elapsed.Ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + _elapsed;

    public void Turn(long milliseconds) => _elapsed += TimeSpan.FromMilliseconds(milliseconds);
}
