using Holdfast.Engine.Callbacks;

namespace Holdfast.Tests.Callbacks;

/// <summary>
/// Goal: whatever receivers answer and whenever the server dies, every outcome is told at least once, an execution's in their order, no
/// more often than its schedule allows, and what can be delivered is. Method: ten thousand random walks of outcomes, attempts, answers,
/// waits, crashes and redrives over the product's own transitions and lanes.
/// </summary>
public sealed class CallbackSimulationTests
{
    [Fact]
    public void Ten_thousand_walks_keep_what_is_promised()
    {
        for (int seed = 0; seed < 10_000; seed++)
        {
            var simulated = new SimulatedCallbacks(new Random(seed));
            for (int step = 0; step < 60; step++)
            {
                simulated.Step();
            }

            simulated.Settle();
            Check(simulated, seed);
        }
    }

    private static void Check(SimulatedCallbacks simulated, int seed)
    {
        foreach (SimulatedCallbacks.Row row in simulated.Rows)
        {
            string what = $"seed {seed}: {row.Status} after {row.Attempts} attempts, {row.Redrives} redrives, {row.Cuts} cuts";
            Assert.True(row.Status.State.IsSettled(), what);
            Assert.True(row.Status.State != CallbackState.Delivered || row.IsAccepted, what);
            Assert.True(row.Status.State != CallbackState.Disabled || row.IsGone, what);
            Assert.True(row.Attempts >= 1, what);
            Assert.True(row.Attempts <= (4 * (1 + row.Redrives)) + row.Cuts, what);
            Assert.True(row.Seen <= row.Attempts, what);
        }
    }
}
