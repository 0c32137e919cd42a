using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine.Kernels;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Kernels;

public sealed class KernelActivityTests
{
    [Fact]
    public void A_kernel_is_starting_until_the_first_status_that_says_something_else()
    {
        var activity = new KernelActivity(isKnownReady: false);
        Assert.Equal("starting", activity.ExecutionState);
        activity.Take(KernelMessages.Status("", "starting", 1));
        Assert.Equal("starting", activity.ExecutionState);
        activity.Take(Status("kernel_info_request", "info", "busy", 2));
        Assert.Equal(("idle", 1L), (activity.ExecutionState, activity.LastActivityAt));
    }

    [Theory]
    [InlineData("kernel_info_request")]
    [InlineData("comm_info_request")]
    [InlineData("debug_request")]
    public void To_ask_a_kernel_about_itself_is_no_activity_and_does_not_make_it_busy(string type)
    {
        var activity = new KernelActivity(isKnownReady: true);
        activity.Take(Status(type, "info", "busy", 5));
        Assert.Equal(("idle", 0L), (activity.ExecutionState, activity.LastActivityAt));
    }

    [Fact]
    public void What_its_supervisor_has_a_kernel_do_does_not_make_it_busy()
    {
        var activity = new KernelActivity(isKnownReady: false);
        activity.Take(KernelMessages.Status(SupervisorRequest.Id("session", 2), "busy", 1));
        Assert.Equal("idle", activity.ExecutionState);
    }

    [Fact]
    public void Whatever_is_said_while_it_is_busy_is_activity()
    {
        var activity = new KernelActivity(isKnownReady: true);
        activity.Take(KernelMessages.Status("cell", "busy", 3));
        activity.Take(Status("kernel_info_request", "info", "idle", 9));
        Assert.Equal(("busy", 9L), (activity.ExecutionState, activity.LastActivityAt));
    }

    [Fact]
    public void A_request_whose_idle_was_lost_no_longer_counts()
    {
        var activity = new KernelActivity(isKnownReady: true);
        activity.Take(KernelMessages.Status("cell", "busy", 3));
        activity.GiveUp("cell");
        activity.GiveUp("cell");
        Assert.Equal("idle", activity.ExecutionState);
        activity.End();
        Assert.Equal("dead", activity.ExecutionState);
    }

    /// <summary>
    /// Goal: the state is that of the requests together, however they interleave. Method: random busy and idle statuses of five requests,
    /// held against a set of those that are open.
    /// </summary>
    [Fact]
    public void It_is_busy_as_long_as_any_request_is_however_their_statuses_interleave()
    {
        Gen<(int Who, bool IsBusy)[]> histories = Gen.Choose(0, 4)
            .SelectMany(static who => Gen.Elements(true, false).Select(busy => (who, busy)))
            .ArrayOf();
        Prop.ForAll(
                histories.ToArbitrary(),
                static history =>
                {
                    var activity = new KernelActivity(isKnownReady: true);
                    var open = new Dictionary<int, long>();
                    for (int i = 0; i < history.Length; i++)
                    {
                        (int who, bool isBusy) = history[i];
                        activity.Take(KernelMessages.Status($"cell {who}", isBusy ? "busy" : "idle", i));
                        _ = isBusy ? open.TryAdd(who, i) : open.Remove(who);
                        if (
                            activity.IsBusy != open.Count > 0
                            || activity.OldestPosition != (open.Count > 0 ? open.Values.Min() : long.MaxValue)
                        )
                        {
                            return false;
                        }
                    }

                    return true;
                }
            )
            .QuickCheckThrowOnFailure();
    }

    private static KernelMessage Status(string parentType, string parent, string state, long position) =>
        KernelMessages.Of(JournalChannel.IoPub, "status", "status", parent, $$"""{"execution_state":"{{state}}"}""", position, parentType);
}
