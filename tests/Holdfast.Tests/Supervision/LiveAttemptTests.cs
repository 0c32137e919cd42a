using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Link;

namespace Holdfast.Tests.Supervision;

public sealed class LiveAttemptTests
{
    private readonly LiveAttempt _live = new(Attempt("a"), "/nowhere");

    [Fact]
    public void Growth_taken_before_a_pulse_is_completed_by_it()
    {
        Task growth = _live.Growth;
        Assert.False(growth.IsCompleted);
        _live.Pulse();
        Assert.True(growth.IsCompleted);
        Assert.False(_live.Growth.IsCompleted);
    }

    [Fact]
    public void Nobody_waits_for_growth_after_the_end_even_when_a_pulse_comes_late()
    {
        _live.End();
        _live.Pulse();
        Assert.True(_live.IsEnded && _live.Growth.IsCompleted);
    }

    [Fact]
    public async Task An_attempt_that_ended_without_a_link_refuses_those_who_wait_for_one()
    {
        Task<SupervisorLink> link = _live.Link;
        _live.End();
        Assert.Equal(ErrorCodes.SupervisorUnreachable, (await Assert.ThrowsAsync<RefusedException>(() => link)).Code);
        await _live.WatchQuietlyAsync();
    }

    [Fact]
    public void A_journal_is_looked_into_up_to_where_it_was_told_to_end_and_always_when_that_is_not_known()
    {
        Assert.True(_live.MayReachPast(1000));
        _live.Take(new LinkMessage { Type = LinkMessageType.Appended, Position = 500 });
        Assert.Equal((true, false, false), (_live.MayReachPast(499), _live.MayReachPast(500), _live.MayReachPast(501)));
        _live.Take(new LinkMessage { Type = LinkMessageType.Exited, Position = 700 });
        Assert.True(_live.MayReachPast(600));
        _live.Take(new LinkMessage { Type = LinkMessageType.Appended, Position = 500 });
        _live.End();
        Assert.True(_live.MayReachPast(600));
    }

    [Fact]
    public void An_outcome_is_taken_once()
    {
        Assert.False(_live.IsOutcomeKnown);
        Assert.True(_live.TryTakeOutcome());
        Assert.False(_live.TryTakeOutcome());
        Assert.True(_live.IsOutcomeKnown);
    }

    [Fact]
    public void An_attempt_is_one_object_whoever_needs_it_first()
    {
        var attempts = new LiveAttempts();
        LiveAttempt first = attempts.Ensure(Attempt("b"), "/nowhere");
        Assert.Same(first, attempts.Ensure(Attempt("b"), "/nowhere"));
        attempts.Remove(first);
        Assert.True(first.IsEnded);
        Assert.False(attempts.TryGet(new AttemptId("b"), out _));
    }

    private static Attempt Attempt(string id) => new(new AttemptId(id), 1, "nonce", "boot", null, null);
}
