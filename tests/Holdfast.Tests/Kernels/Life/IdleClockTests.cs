using Holdfast.Engine;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Kernels.Life;

/// <summary>Idleness is time that has passed, not what the time of day says.</summary>
public sealed class IdleClockTests
{
    private static readonly TimeSpan TenYears = TimeSpan.FromDays(3650);

    private readonly FakeClock _clock = new();
    private readonly IdleClock _idle;

    public IdleClockTests() => _idle = new IdleClock(_clock);

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void A_clock_that_jumps_ten_years_makes_nobody_idle_for_longer_or_shorter(int direction)
    {
        long activity = Now;
        Assert.Equal(0, Idle(activity).TotalSeconds);
        _clock.Turn(TimeSpan.FromSeconds(30));
        _clock.Jump(direction * TenYears);
        Assert.Equal(30, Idle(activity).TotalSeconds);
        _clock.Turn(TimeSpan.FromSeconds(30));
        Assert.Equal(60, Idle(activity).TotalSeconds);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void An_activity_just_before_a_jump_that_is_seen_after_it_is_no_older_than_the_last_look(int direction)
    {
        Idle(Now);
        _clock.Turn(TimeSpan.FromSeconds(50));
        long activity = Now;
        _clock.Turn(TimeSpan.FromSeconds(10));
        _clock.Jump(direction * TenYears);
        Assert.InRange(Idle(activity).TotalSeconds, 0, 60);
    }

    [Fact]
    public void One_that_a_server_before_this_one_knew_is_as_idle_as_the_time_of_day_says_and_one_that_is_gone_is_forgotten()
    {
        Assert.Equal(3600, Idle(Now - 3_600_000_000).TotalSeconds);
        _idle.Keep(new HashSet<string>());
        Assert.Equal(7200, Idle(Now - 7_200_000_000).TotalSeconds);
    }

    private long Now => _clock.NowMicroseconds();

    private TimeSpan Idle(long activity) => TimeSpan.FromMicroseconds(Now - _idle.ActivityOf("k", activity, Now));
}
