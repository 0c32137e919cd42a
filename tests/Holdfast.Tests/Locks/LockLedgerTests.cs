using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Jobs;
using Holdfast.Engine.Locks;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Locks;

/// <summary>
/// Goal: a lock has one holder, lines keep their order, everybody has all of their locks or none, and nobody waits who could go. Method:
/// random walks of submits, ends, cancels, retries and releases by hand, through the real store, beside a model of plain lists.
/// </summary>
public sealed class LockLedgerTests
{
    private static readonly string[] Names = ["a", "b", "c/../d", "é\n\"'%"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Random_walks_agree_with_a_model_of_lists(int seed)
    {
        var random = new Random(seed);
        await WalkAsync([.. Enumerable.Range(0, 150).Select(_ => random.Next(4096))]);
    }

    private static async Task WalkAsync(int[] steps)
    {
        await using var house = new TemporaryLedger();
        var model = new LockModel();
        var known = new List<ExecutionId>();
        foreach (int step in steps)
        {
            int what = step % 8;
            int which = step / 8;
            if (what < 3 || known.Count == 0)
            {
                string[] locks = [.. Names.Where((_, i) => ((which >> i) & 1) == 1)];
                Execution added = await AddAsync(house, locks);
                known.Add(added.Id);
                model.Enter(added.Id, locks);
            }
            else if (what < 6)
            {
                ExecutionId id = known[which % known.Count];
                if (!house.Find(id).State.IsTerminal())
                {
                    await EndAsync(house, id, which);
                    model.Leave(id);
                }
            }
            else if (what == 6)
            {
                ExecutionId id = known[which % known.Count];
                if (house.Find(id).State is ExecutionState.Failed or ExecutionState.Cancelled)
                {
                    await house.CommandAsync(id, ExecutionCommand.Retry);
                    model.Enter(id, model.Asked[id]);
                }
            }
            else
            {
                string name = Names[which % Names.Length];
                ReleasedLock? released = await house.Store.WriteAsync(
                    t => house.Ledger.ReleaseLock(t, name, "a test"),
                    TemporaryLedger.Cancel
                );
                Assert.Equal(model.Release(name), released?.Holder);
            }

            Compare(house, model, known);
        }

        // Start-up finds nothing to put right.
        Assert.Equal((0, 0), house.Store.Read(static reader => (LocksTable.Ended(reader).Count, LocksTable.FirstInAll(reader).Count)));
    }

    private static void Compare(TemporaryLedger house, LockModel model, List<ExecutionId> known)
    {
        IReadOnlyList<LockLine> lines = new ListLocks(house.Store).Run();
        Assert.Equal(
            model.Lines(),
            lines.Select(static l => $"{l.Name}: {l.Holder?.Value} < {string.Join(" ", l.Waiting.Select(static w => w.Value))}")
        );
        foreach (ExecutionId id in known)
        {
            ExecutionState state = house.Find(id).State;
            Assert.Equal(model.Waits(id), state == ExecutionState.Waiting);
        }
    }

    private static Task<Execution> AddAsync(TemporaryLedger house, params string[] locks) =>
        house.Store.WriteAsync(transaction => house.Ledger.Add(transaction, house.Draft(), Request(locks), locks), TemporaryLedger.Cancel);

    private static string Request(string[] locks) =>
        System.Text.Json.JsonSerializer.Serialize(new JobRequest { Argv = ["true"], Locks = locks }, JobJson.Default.JobRequest);

    private static async Task EndAsync(TemporaryLedger house, ExecutionId id, int which)
    {
        if (house.Find(id).State == ExecutionState.Waiting || which % 2 == 0)
        {
            await house.CommandAsync(id, ExecutionCommand.Cancel);
            if (house.Find(id).State.IsTerminal())
            {
                return;
            }
        }

        foreach (ClaimedJob claimed in await house.ClaimAsync(100))
        {
            Assert.NotEqual(ExecutionState.Waiting, claimed.Execution.State);
        }

        Execution active = house.Find(id);
        _ = await house.Store.WriteAsync(
            t => house.Ledger.Finish(t, id, active.AttemptId!.Value, new Outcome(ExecutionState.Failed, 1, null, "exited", "It ended.", 5)),
            TemporaryLedger.Cancel
        );
    }

    [Fact]
    public async Task A_fence_grows_with_every_grant_of_a_lock_and_reaches_the_job()
    {
        await using var house = new TemporaryLedger();
        long last = 0;
        for (int i = 0; i < 5; i++)
        {
            _ = await AddAsync(house, "a");
            ClaimedJob job = Assert.Single(await house.ClaimAsync(10));
            Assert.True(job.LockFence > last);
            last = job.LockFence!.Value;
            await house.FinishAsync(job, ExecutionState.Succeeded);
        }

        _ = await AddAsync(house);
        Assert.Null(Assert.Single(await house.ClaimAsync(10)).LockFence);
    }

    [Fact]
    public async Task The_next_in_line_is_queued_in_the_transaction_that_ends_the_holder()
    {
        await using var house = new TemporaryLedger();
        _ = await AddAsync(house, "a");
        Execution second = await AddAsync(house, "a");
        ClaimedJob job = Assert.Single(await house.ClaimAsync(10));
        Assert.Equal(ExecutionState.Waiting, second.State);

        await Assert.ThrowsAsync<InvalidDataException>(() =>
            house.Store.WriteAsync<int>(
                transaction =>
                {
                    house.Ledger.Finish(
                        transaction,
                        job.Execution.Id,
                        job.Attempt.Id,
                        new Outcome(ExecutionState.Lost, null, null, "lost", "", 5)
                    );
                    throw new InvalidDataException();
                },
                TemporaryLedger.Cancel
            )
        );
        Assert.Equal(ExecutionState.Waiting, house.Find(second.Id).State);

        await house.FinishAsync(job, ExecutionState.Lost);
        Assert.Equal(["waiting", "queued"], house.History(second.Id));
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    public void A_name_that_is_none_is_refused(string? name) =>
        Assert.Equal(ErrorCodes.InvalidRequest, Assert.Throws<RefusedException>(() => LockNames.Check([name!])).Code);

    [Fact]
    public void The_same_name_twice_is_asked_for_once() => Assert.Equal(["a", "b"], LockNames.Check(["a", "b", "a"]));
}
