using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;
using Holdfast.Tests.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Kernels;

public sealed class KernelCommitsTests
{
    /// <summary>The owner is woken before the write's task is over, and there may be no other wake for hours.</summary>
    [Fact]
    public async Task What_gathered_during_a_write_is_stored_by_the_wake_that_follows_it()
    {
        await using var house = TemporaryStore.Open();
        var stored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = new Queue<string>(["first", "second"]);
        KernelCommits? commits = null;
        commits = new KernelCommits(
            house.Store,
            house.Directory,
            static (_, _) => { },
            Turn,
            "kernel",
            TimeProvider.System,
            NullLogger.Instance
        );

        Turn();
        await stored.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        void Turn() =>
            commits!.Turn(
                waiting.Count > 0,
                hasCells: false,
                () =>
                {
                    string change = waiting.Dequeue();
                    return new KernelCommit([transaction => transaction.OnCommitted(() => Committed(change))], [], NeedsSync: false, 0, 0);
                }
            );

        void Committed(string change)
        {
            if (change == "second")
            {
                stored.SetResult();
            }
        }
    }
}
