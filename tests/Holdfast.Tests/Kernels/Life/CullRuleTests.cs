using Holdfast.Engine.Kernels.Life;

namespace Holdfast.Tests.Kernels.Life;

public sealed class CullRuleTests
{
    private const long Second = 1_000_000;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(20, false, 0, true)]
    [InlineData(10, false, 0, true)]
    [InlineData(9, false, 0, false)]
    [InlineData(20, true, 0, false)]
    [InlineData(20, false, 1, false)]
    public void A_kernel_is_culled_when_it_is_idle_for_long_enough_and_nobody_s(
        int idleSeconds,
        bool isBusy,
        int connections,
        bool isCulled
    ) => Assert.Equal(isCulled, Judge(idleSeconds, isBusy, connections, new CullOptions()).IsCulled);

    [Fact]
    public void Busy_and_connected_ones_go_too_when_that_is_wanted() =>
        Assert.True(Judge(20, true, 2, new CullOptions { IncludesBusy = true, IncludesConnected = true }).IsCulled);

    [Fact]
    public void It_is_looked_at_again_at_the_very_moment_it_falls_due() =>
        Assert.Equal(103 * Second, Judge(7, false, 0, new CullOptions()).LookAgainAt);

    [Fact]
    public void A_busy_one_cannot_fall_due_before_a_whole_timeout() =>
        Assert.Equal(110 * Second, Judge(20, true, 0, new CullOptions()).LookAgainAt);

    [Fact]
    public void A_connected_one_that_is_overdue_waits_for_its_client_and_for_no_timer() =>
        Assert.Equal(new CullVerdict(false, null), Judge(20, false, 1, new CullOptions()));

    private static CullVerdict Judge(int idleSeconds, bool isBusy, int connections, CullOptions options) =>
        CullRule.Judge(new Idleness((100 - idleSeconds) * Second, isBusy, connections), Timeout, options, 100 * Second);
}
