using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine.Kernels.Life;

namespace Holdfast.Tests.Kernels.Life;

public sealed class RestartPolicyTests
{
    private static readonly RestartPolicy Policy = new();

    [Fact]
    public void The_first_death_is_answered_at_once_and_each_further_one_after_twice_as_long() =>
        Assert.Equal([0, 1, 2, 4], Enumerable.Range(1, 4).Select(n => Policy.Decide(Deaths(n)).Delay!.Value.TotalSeconds));

    [Fact]
    public void The_fifth_death_opens_the_breaker_and_names_every_cause_latest_first()
    {
        RestartDecision decision = Policy.Decide([
            Death("It exited with code 3."),
            Death("It was ended by SIGSEGV."),
            .. Deaths(2, "It exited with code 3."),
            Death("It was ended by SIGSEGV."),
        ]);

        Assert.False(decision.IsRestart);
        Assert.Equal(
            "It died 5 times within 5 minutes and is not started again. It was ended by SIGSEGV. (2 times) It exited with code 3. (3 times)",
            decision.Reason
        );
    }

    [Fact]
    public void A_policy_without_restarts_says_only_how_it_died() =>
        Assert.Equal(new RestartDecision(null, "It ended."), (Policy with { RestartsMax = 0 }).Decide(Deaths(1)));

    [Fact]
    public void A_delay_never_shrinks_and_never_passes_its_bound() =>
        Prop.ForAll(
                Arb.From(from max in Gen.Choose(1, 1000) from n in Gen.Choose(1, 1000) select (max, n)),
                given =>
                {
                    RestartPolicy policy = Policy with { RestartsMax = given.max };
                    RestartDecision decision = policy.Decide(Deaths(given.n));
                    return decision.IsRestart == given.n <= given.max
                        && (
                            !decision.IsRestart || (decision.Delay <= policy.DelayMax && decision.Delay >= policy.DelayBefore(given.n - 1))
                        );
                }
            )
            .Check(Config.QuickThrowOnFailure);

    private static KernelDeath[] Deaths(int count, string reason = "It ended.") =>
        [.. Enumerable.Range(0, count).Select(_ => Death(reason))];

    private static KernelDeath Death(string reason) => new("exited", 1, null, reason, 0);
}
