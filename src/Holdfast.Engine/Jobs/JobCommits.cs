using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Jobs;

/// <summary>Stores what jobs came to, and claims the next ones, in one transaction.</summary>
internal sealed partial class JobCommits(
    StateStore store,
    ExecutionLedger ledger,
    LiveAttempts live,
    AttemptFolders folders,
    TimeProvider time,
    ILogger logger,
    CancellationToken stopping
)
{
    /// <summary>
    /// While the disk is full or cannot be written this goes on trying: the outcomes' records are durable, and such things pass. What is
    /// wrong with one row does not pass: then each outcome is stored by itself, and the one that cannot be is left to the next start, which
    /// finds its record.
    /// </summary>
    public async Task<List<ClaimedJob>> CommitAsync(List<EndedJob> ended, int claims)
    {
        for (TimeSpan pause = JobPauses.Store; ; pause = JobPauses.Longer(pause))
        {
            try
            {
                return await store.WriteAsync(transaction => Commit(transaction, ended, claims), CancellationToken.None);
            }
            catch (StoreException e) when (e.ConcernsTheWholeBatch)
            {
                Log.OutcomesNotStored(logger, ended.Count, e);
                await Task.Delay(pause, time, stopping);
            }
            catch (Exception e) when (e is not OperationCanceledException && ended.Count > 0)
            {
                Log.OutcomesNotStored(logger, ended.Count, e);
                await StoreOneByOneAsync(ended);
                ended = []; // The caller's list is another: their slots are free whatever became of them.
            }
        }
    }

    /// <summary>What stands for a claimed job while it runs: one object, whoever asks first.</summary>
    public LiveAttempt Live(ClaimedJob job)
    {
        LiveAttempt attempt = live.Ensure(job.Attempt, folders.Of(job.Attempt.Id));
        attempt.TakesSlot = !job.Execution.IsTerminal;
        return attempt;
    }

    private List<ClaimedJob> Commit(StoreTransaction transaction, List<EndedJob> ended, int claims)
    {
        var claimed = new List<ClaimedJob>();
        foreach (EndedJob one in ended)
        {
            if (Store(transaction, one) is { IsTerminal: true, State: ExecutionState.Queued } terminal)
            {
                // It never started, and is never seen waiting: who sits before it gets another attempt at once.
                claimed.Add(ledger.Claim(transaction, terminal, ExecutionsTable.ReadRequest(transaction, terminal.Id)));
            }
        }

        if (claims > 0)
        {
            claimed.AddRange(ledger.ClaimJobs(transaction, claims));
        }

        CrashPoints.Reach(CrashPoint.ServerJobClaimed);
        transaction.OnCommitted(() =>
        {
            foreach (EndedJob one in ended)
            {
                live.Remove(one.Live);
            }

            foreach (ClaimedJob job in claimed)
            {
                Live(job);
            }
        });
        return claimed;
    }

    private async Task StoreOneByOneAsync(List<EndedJob> ended)
    {
        foreach (EndedJob one in ended)
        {
            while (!await TryStoreAsync(one))
            {
                await Task.Delay(JobPauses.Store, time, stopping);
            }

            live.Remove(one.Live);
        }
    }

    /// <summary>False when it is to be tried again; true also for one that is given up.</summary>
    private async Task<bool> TryStoreAsync(EndedJob one)
    {
        try
        {
            await store.WriteAsync(transaction => Store(transaction, one), CancellationToken.None);
            return true;
        }
        catch (StoreException e) when (e.ConcernsTheWholeBatch)
        {
            Log.OutcomesNotStored(logger, 1, e);
            return false;
        }
        catch (Exception e)
        {
            Log.OutcomeGivenUp(logger, one.Live.Attempt.ExecutionId!.Value.Value, e);
            return true;
        }
    }

    private Execution? Store(StoreTransaction transaction, EndedJob one)
    {
        ExecutionId id = one.Live.Attempt.ExecutionId!.Value;
        return one.Outcome is { } outcome
            ? ledger.Finish(
                transaction,
                id,
                one.Live.Id,
                outcome,
                e => e with { StartedAt = e.StartedAt ?? one.Live.StartedAt ?? StartOf(outcome) }
            )
            : ledger.Advance(transaction, id, one.Live.Id, ExecutionCommand.Unclaim);
    }

    /// <summary>A job that came to an end before its start was heard of did start, unless it says it did not.</summary>
    private static long? StartOf(Outcome outcome) =>
        outcome.State == ExecutionState.Lost || outcome.Cause == Protocol.Attempts.ExitCause.NotStarted ? null : outcome.AtMicroseconds;

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.JobOutcomesNotStored,
            LogLevel.Error,
            "{Count} outcomes could not be stored; they are durable in their folders and are tried again."
        )]
        public static partial void OutcomesNotStored(ILogger logger, int count, Exception exception);

        [LoggerMessage(
            EventIds.JobOutcomeGivenUp,
            LogLevel.Error,
            "The outcome of execution {Execution} cannot be stored; its record is durable in its folder, and the next start tries again."
        )]
        public static partial void OutcomeGivenUp(ILogger logger, string execution, Exception exception);
    }
}
