using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Recovery;

/// <summary>
/// Whether executions and attempts say the same. Each change of both is one transaction, so they do, unless the store was restored from a
/// copy or changed from outside. What cannot be true is made lost, with the reason; an attempt that nothing refers to is closed, unless its
/// supervisor lives: that one is told of and left alone.
/// </summary>
internal sealed class ExecutionCheck(StateStore store, ExecutionLedger ledger, AttemptFolders folders, TimeProvider time)
{
    /// <summary>
    /// What the check came to: how many rows were looked at, what could not be mended, and the attempts that nobody is to adopt.
    /// </summary>
    public sealed record Findings(int Checked, List<string> Problems, HashSet<AttemptId> Strays);

    public async Task<Findings> RunAsync(List<Attempt> open, CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        (List<Execution> without, List<AttemptId> unused, int active) = store.Read(reader =>
            (ExecutionsTable.ActiveWithoutAttempt(reader), AttemptsTable.Unused(reader), ExecutionsTable.CountActive(reader))
        );
        foreach (Execution execution in without)
        {
            await MendAsync(execution, problems, cancellationToken);
        }

        var strays = new HashSet<AttemptId>();
        foreach (AttemptId id in unused)
        {
            strays.Add(id);
            if (IsHeld(id))
            {
                problems.Add($"The supervisor of attempt {id.Value} lives, and no execution or kernel refers to it.");
                continue;
            }

            await store.WriteAsync(
                transaction => AttemptsTable.End(transaction, id, "superseded", time.NowMicroseconds()),
                cancellationToken
            );
        }

        return new Findings(active + open.Count, problems, strays);
    }

    /// <summary>One row that cannot be mended is named, and stays as it is; the others go on.</summary>
    private async Task MendAsync(Execution execution, List<string> problems, CancellationToken cancellationToken)
    {
        var lost = new Outcome(
            ExecutionState.Lost,
            null,
            null,
            "lost",
            "The store knows no open attempt of it, so how it ended cannot be known.",
            time.NowMicroseconds()
        );
        try
        {
            Execution? mended = execution.AttemptId is { } attempt
                ? await store.WriteAsync(transaction => ledger.Finish(transaction, execution.Id, attempt, lost), cancellationToken)
                : null;
            if (mended is null)
            {
                problems.Add($"Execution {execution.Id} is {execution.State.Name()} and has no attempt.");
            }
        }
        catch (StoreException e) when (!e.ConcernsTheWholeBatch)
        {
            problems.Add($"Execution {execution.Id}: {e.Message}");
        }
    }

    private bool IsHeld(AttemptId id)
    {
        var files = new AttemptFiles(folders.Of(id));
        return File.Exists(files.Lock) && FileLock.IsHeld(files.Lock);
    }
}
