using Holdfast.Engine;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Executions;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Callbacks;

/// <summary>All that was given up, by one request: each once, in pages, and none that is on its way.</summary>
public sealed class RedriveCallbacksTests
{
    [Fact]
    public async Task What_was_parked_is_sent_again_and_says_so_and_a_repeat_finds_nothing()
    {
        await using CallbackHouse house = await ParkedAsync("a", "b");
        var redrive = new RedriveCallbacks(house.Executions.Store, house.Callbacks, house.Executions.Time);
        var request = new RedriveRequest(CallbackState.Parked, null, IsDryRun: true);

        RedrivePage dry = await redrive.RunAsync(request, TemporaryLedger.Cancel);
        Assert.Equal((2, false), (dry.Callbacks.Count, dry.HasMore));
        Assert.All(Rows(house), static row => Assert.Equal((CallbackState.Parked, 0), (row.Status.State, row.Redrives)));

        await house.StopAsync(); // So that nobody sends them while they are looked at.
        Actor.Current = new Actor("1", "ann", "here");
        RedrivePage page = await redrive.RunAsync(request with { IsDryRun = false }, TemporaryLedger.Cancel);
        Actor.Current = null;
        Assert.Equal(dry.Callbacks, page.Callbacks);
        Assert.All(
            Rows(house),
            static row =>
                Assert.Equal((CallbackState.Pending, 0, 1, "ann"), (row.Status.State, row.Status.Failures, row.Redrives, row.RedrivenBy))
        );
        Assert.All(Rows(house), static row => Assert.NotNull(row.RedrivenAt));
        Assert.Empty((await redrive.RunAsync(request with { IsDryRun = false }, TemporaryLedger.Cancel)).Callbacks);
    }

    [Fact]
    public async Task A_page_begins_behind_the_one_that_is_named()
    {
        await using CallbackHouse house = await ParkedAsync("a", "b", "c");
        var redrive = new RedriveCallbacks(house.Executions.Store, house.Callbacks, house.Executions.Time);
        var request = new RedriveRequest(CallbackState.Parked, null, IsDryRun: true);

        IReadOnlyList<CallbackId> all = (await redrive.RunAsync(request, TemporaryLedger.Cancel)).Callbacks;

        Assert.Equal(all.Skip(1), (await redrive.RunAsync(request with { After = all[0] }, TemporaryLedger.Cancel)).Callbacks);
        Assert.Empty((await redrive.RunAsync(request with { State = CallbackState.Disabled }, TemporaryLedger.Cancel)).Callbacks);
    }

    [Theory]
    [InlineData(CallbackState.Delivered)]
    [InlineData(CallbackState.Pending)]
    [InlineData(CallbackState.Sending)]
    [InlineData(CallbackState.Waiting)]
    public async Task Only_what_was_given_up_is_redriven_together(CallbackState state)
    {
        await using var house = new CallbackHouse(static _ => Task.FromResult(CallbackHouse.Delivered));
        var redrive = new RedriveCallbacks(house.Executions.Store, house.Callbacks, house.Executions.Time);

        RefusedException refusal = await Assert.ThrowsAsync<RefusedException>(() =>
            redrive.RunAsync(new RedriveRequest(state, null, IsDryRun: false), TemporaryLedger.Cancel)
        );

        Assert.Equal(ErrorCodes.InvalidRequest, refusal.Code);
    }

    private static List<Callback> Rows(CallbackHouse house) =>
        house.Executions.Store.Read(static reader => CallbacksTable.List(reader, null, null, 100));

    private static async Task<CallbackHouse> ParkedAsync(params string[] receivers)
    {
        var house = new CallbackHouse(static _ =>
            Task.FromResult(new CallbackAnswer(CallbackVerdict.Refused) { Status = 400, Error = "no" })
        );
        await house.StartAsync();
        foreach (string receiver in receivers)
        {
            Execution execution = await house.AddAsync("https://example.org/" + receiver);
            await house.EndAsync(execution);
            await house.UntilAsync(execution, CallbackState.Parked);
        }

        return house;
    }
}
