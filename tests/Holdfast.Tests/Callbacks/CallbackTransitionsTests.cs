using Holdfast.Engine.Callbacks;

namespace Holdfast.Tests.Callbacks;

/// <summary>The table of a callback's moves.</summary>
public sealed class CallbackTransitionsTests
{
    private const long Now = 1_000_000_000_000;
    private static readonly CallbackStatus Sending = new(CallbackState.Sending, 0, Now);

    [Theory]
    [InlineData(200, CallbackVerdict.Delivered)]
    [InlineData(204, CallbackVerdict.Delivered)]
    [InlineData(301, CallbackVerdict.Failed)]
    [InlineData(400, CallbackVerdict.Refused)]
    [InlineData(401, CallbackVerdict.Refused)]
    [InlineData(404, CallbackVerdict.Refused)]
    [InlineData(408, CallbackVerdict.Failed)]
    [InlineData(410, CallbackVerdict.Gone)]
    [InlineData(425, CallbackVerdict.Failed)]
    [InlineData(429, CallbackVerdict.Failed)]
    [InlineData(500, CallbackVerdict.Failed)]
    [InlineData(503, CallbackVerdict.Failed)]
    [InlineData(599, CallbackVerdict.Failed)]
    [InlineData(999, CallbackVerdict.Failed)]
    public void A_status_means_what_the_specification_says(int status, CallbackVerdict verdict) =>
        Assert.Equal(verdict, CallbackTransitions.Judge(status));

    [Fact]
    public void A_failure_is_tried_again_by_the_schedule_and_parked_after_its_last_attempt()
    {
        CallbackStatus status = Sending;
        foreach (double seconds in CallbackSchedule.Minutes.Seconds)
        {
            status = End(status, CallbackVerdict.Failed, TimeSpan.Zero, 0.5);
            Assert.Equal(CallbackState.Pending, status.State);
            Assert.Equal(Now + (long)(seconds * 1.05 * 1e6), status.DueAt);
            status = status with { State = CallbackState.Sending };
        }

        Assert.Equal(CallbackState.Parked, End(status, CallbackVerdict.Failed, TimeSpan.Zero, 0.5).State);
    }

    [Theory]
    [InlineData(CallbackVerdict.Delivered, CallbackState.Delivered)]
    [InlineData(CallbackVerdict.Refused, CallbackState.Parked)]
    [InlineData(CallbackVerdict.Gone, CallbackState.Disabled)]
    public void What_is_final_is_final_at_the_first_attempt(CallbackVerdict verdict, CallbackState state) =>
        Assert.Equal(state, End(Sending, verdict, TimeSpan.Zero, 0).State);

    [Theory]
    [InlineData(5, 30)]
    [InlineData(90, 90)]
    [InlineData(1_000_000, 86_400)]
    public void A_receiver_may_ask_for_more_time_but_not_for_less_nor_for_ever(double retryAfter, double seconds) =>
        Assert.Equal(Now + (long)(seconds * 1e6), End(Sending, CallbackVerdict.Failed, TimeSpan.FromSeconds(retryAfter), 0).DueAt);

    [Fact]
    public void An_attempt_that_was_cut_off_is_due_at_once_and_is_no_failure() =>
        Assert.Equal(
            new CallbackStatus(CallbackState.Pending, 2, Now + 7),
            CallbackTransitions.Interrupt(new CallbackStatus(CallbackState.Sending, 2, 1), Now + 7)
        );

    [Fact]
    public void Nothing_begins_before_it_is_due_unless_the_clock_was_wrong()
    {
        Assert.Null(CallbackTransitions.Begin(new CallbackStatus(CallbackState.Pending, 1, Now + 1), Now));
        Assert.NotNull(CallbackTransitions.Begin(new CallbackStatus(CallbackState.Pending, 1, Now), Now));
        Assert.NotNull(CallbackTransitions.Begin(new CallbackStatus(CallbackState.Pending, 1, Now + (365L * 24 * 3600 * 1_000_000)), Now));
    }

    [Fact]
    public void What_has_no_outcome_or_is_under_way_is_not_redriven()
    {
        foreach (CallbackState state in Enum.GetValues<CallbackState>())
        {
            bool isRefused = state is CallbackState.Waiting or CallbackState.Sending;
            Assert.Equal(
                isRefused ? null : new CallbackStatus(CallbackState.Pending, 0, Now),
                CallbackTransitions.Redrive(new CallbackStatus(state, 9, 5), Now)
            );
        }
    }

    private static CallbackStatus End(CallbackStatus status, CallbackVerdict verdict, TimeSpan retryAfter, double fraction) =>
        CallbackTransitions.End(status, verdict, retryAfter, CallbackSchedule.Minutes, fraction, Now)!.Value;
}
