using Holdfast.Engine.Retention;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Retention;

public sealed class ClockDriftTests
{
    private static readonly TimeSpan TenYears = TimeSpan.FromDays(3650);

    private readonly FakeClock _clock = new();
    private readonly ClockDrift _drift;

    public ClockDriftTests() => _drift = new ClockDrift(_clock);

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void A_jump_of_ten_years_holds_deletion_up_until_it_is_put_right(int direction)
    {
        _clock.Turn(TimeSpan.FromDays(400)); // Time that passes is no jump.
        Assert.Null(_drift.Look());
        _clock.Jump(direction * TenYears);
        Assert.Equal(direction * TenYears, _drift.Look());
        _clock.Turn(TimeSpan.FromHours(23));
        Assert.NotNull(_drift.Look());
        _clock.Jump(-direction * TenYears);
        Assert.Null(_drift.Look());
        _clock.Turn(TimeSpan.FromHours(2));
        Assert.Null(_drift.Look());
    }

    [Fact]
    public void One_that_stays_for_a_day_is_believed()
    {
        _clock.Jump(TenYears);
        Assert.NotNull(_drift.Look());
        _clock.Turn(TimeSpan.FromHours(25));
        Assert.Null(_drift.Look());
        Assert.Null(_drift.Look());
    }

    [Fact]
    public void Minutes_and_hours_are_ordinary()
    {
        _clock.Jump(TimeSpan.FromHours(-20));
        Assert.Null(_drift.Look());
    }
}
