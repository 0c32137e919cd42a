using Holdfast.Protocol;

namespace Holdfast.SystemTests.Crashes;

/// <summary>
/// Kills the server at its durable steps one after the other in one world in which everything is in flight: what a death leaves behind, the
/// next one meets. `./dev crash --points` goes through all of them; the suite takes a sample.
/// </summary>
public sealed class MixedCrashTests
{
    private static readonly (CrashPoint Point, int Arrival)[] Sample =
    [
        (CrashPoint.ServerAfterCommit, 6),
        (CrashPoint.ServerSpecWritten, 1),
        (CrashPoint.ServerCallbackBegun, 1),
        (CrashPoint.ServerCascadePlanned, 1),
        (CrashPoint.ServerAssetPlaced, 1),
    ];

    [Fact]
    public Task A_few_deaths_one_after_the_other_with_everything_in_flight_lose_and_double_nothing() => PlayAsync(Sample);

    [Fact]
    [Trait("suite", "points")]
    public Task A_death_at_every_step_of_the_server_one_after_the_other_with_everything_in_flight_loses_and_doubles_nothing() =>
        PlayAsync([
            .. Enum.GetValues<CrashPoint>()
                .Where(static p => p.ToString().StartsWith("Server", StringComparison.Ordinal))
                .OrderBy(static p => p == CrashPoint.ServerRetentionCommitted)
                .SelectMany(static p =>
                    p is CrashPoint.ServerBeforeCommit or CrashPoint.ServerAfterCommit
                        ? (ReadOnlySpan<int>)[1, 3, 6, 10, 15] is var arrivals
                            ? arrivals.ToArray().Select(a => (p, a))
                            : []
                        : [(p, 1)]
                ),
        ]);

    private static async Task PlayAsync((CrashPoint Point, int Arrival)[] deaths)
    {
        await using MixedWorld world = await MixedWorld.BuildAsync();
        foreach ((CrashPoint point, int arrival) in deaths)
        {
            try
            {
                await world.DieAsync(point, arrival);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"In the round of {point}:{arrival}: {e.Message}\n{world.Server.Log}", e);
            }
        }

        foreach (string line in await world.BalanceAsync())
        {
            TestContext.Current.TestOutputHelper?.WriteLine(line);
        }
    }
}
