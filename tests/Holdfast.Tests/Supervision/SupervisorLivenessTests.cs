using Holdfast.Engine.Supervision;

namespace Holdfast.Tests.Supervision;

public sealed class SupervisorLivenessTests
{
    [Theory]
    [InlineData(false, false, false, false, null, SupervisorLiveness.Starting)]
    [InlineData(false, true, false, false, null, SupervisorLiveness.Starting)]
    [InlineData(true, true, true, false, 'S', SupervisorLiveness.Fresh)]
    [InlineData(true, true, true, false, 'R', SupervisorLiveness.Fresh)]
    [InlineData(true, true, true, false, 'D', SupervisorLiveness.Fresh)]
    [InlineData(true, true, true, false, 'T', SupervisorLiveness.Stale)]
    [InlineData(true, true, true, false, 't', SupervisorLiveness.Stale)]
    [InlineData(true, true, true, true, 'S', SupervisorLiveness.Stale)]
    [InlineData(true, true, true, true, 'D', SupervisorLiveness.Stale)]
    [InlineData(true, true, false, false, 'S', SupervisorLiveness.Stale)]
    [InlineData(true, false, false, true, null, SupervisorLiveness.Dead)]
    public void The_table(bool hasRecord, bool isLockHeld, bool isAttached, bool isUnanswered, char? state, SupervisorLiveness expected) =>
        Assert.Equal(
            expected,
            SupervisorLivenessTable.Of(new SupervisorSight(hasRecord, isLockHeld, isAttached, isUnanswered, state)).Liveness
        );

    [Fact]
    public void Only_a_freed_lock_means_dead_and_it_always_does()
    {
        bool[] either = [false, true];
        char?[] states = [null, 'S', 'R', 'D', 'T', 't', 'Z'];
        foreach ((bool isAttached, bool isUnanswered, char? state) in from a in either from u in either from s in states select (a, u, s))
        {
            Assert.NotEqual(
                SupervisorLiveness.Dead,
                SupervisorLivenessTable.Of(new SupervisorSight(true, true, isAttached, isUnanswered, state)).Liveness
            );
            Assert.Equal(
                SupervisorLiveness.Dead,
                SupervisorLivenessTable.Of(new SupervisorSight(true, false, isAttached, isUnanswered, state)).Liveness
            );
        }
    }
}
