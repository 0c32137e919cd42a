using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Reactive.Registration;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>
/// Takes what was run past the cascades into account, in the transaction that goes on from what the kernel holds. A cell that succeeded
/// with the text it has now, on values that the kernel held when it began, is as fresh as after a cascade; one that did not, or may not
/// run, is stale, and so is whoever's names it has written. Each run is looked at once.
/// </summary>
internal static class ClientRuns
{
    /// <summary>
    /// Gives the cells whose dependents, and themselves where they are stale, follow with autorun: a run that failed is no edit, and is not
    /// run again.
    /// </summary>
    public static List<CellId> Settle(
        StoreTransaction transaction,
        string path,
        CascadeSubject subject,
        AttemptId? incarnation,
        FeedLog feed
    )
    {
        // A cascade may have begun the cell anew since they were read.
        HashSet<ExecutionId> noted =
        [
            .. ReactiveEditsTable.Of(transaction, path).Where(static e => e.Execution is not null).Select(static e => e.Execution!.Value),
        ];
        List<ClientRun> runs = [.. subject.Runs.Where(r => noted.Contains(r.Execution.Id))];
        foreach (ClientRun run in runs)
        {
            Take(transaction, path, subject, incarnation, run);
        }

        foreach (ClientRun run in runs)
        {
            ReactiveEditsTable.Remove(transaction, path, run.Noted);
            if (run is { Cell: { } cell, Execution.State: ExecutionState.Succeeded })
            {
                ReactiveEditsTable.Note(transaction, path, cell);
            }
        }

        Announce(transaction, path, subject, runs, incarnation, feed);
        return ReactiveEditsTable.Of(transaction, path).ConvertAll(static e => e.Cell);
    }

    private static void Take(StoreTransaction transaction, string path, CascadeSubject subject, AttemptId? incarnation, ClientRun run)
    {
        if (run.Execution.AttemptId != incarnation)
        {
            return; // Of a kernel that is no more.
        }

        if (run.Cell is { } cell)
        {
            CellValuesTable.ForgetValue(transaction, path, cell);
            if (ValueOf(transaction, path, subject, run, cell) is { } value)
            {
                CellRegistration made = subject.Registry.Graph.Registration(cell);
                IEnumerable<string> shared = made.Imports.Keys.Concat(subject.Registry.Analysis(cell).WrittenPrivates);
                CellValuesTable.Begin(transaction, path, cell, CascadePlan.NamesOf(made), shared);
                CellValuesTable.Put(transaction, path, value);
                return;
            }
        }

        foreach (string name in run.Written)
        {
            CellValuesTable.ForgetName(transaction, path, name);
            if (run.Cell is { } writer)
            {
                CellValuesTable.Hold(transaction, path, name, writer);
            }
        }
    }

    private static CellValue? ValueOf(StoreTransaction transaction, string path, CascadeSubject subject, ClientRun run, CellId cell)
    {
        if (
            run.Execution.State != ExecutionState.Succeeded
            || run.SourceHash != subject.Cells[cell].SourceHash
            || subject.Cells[cell].Code is not null
            || !subject.Registry.State(cell).IsRunnable
            || run.Written.Any(name =>
                CellValuesTable.IsHeldByAnother(transaction, path, cell, name)
                && !subject.Registry.Graph.Registration(cell).Imports.ContainsKey(name)
            )
        )
        {
            return null;
        }

        var inputs = new Dictionary<string, string>();
        foreach (CellId upstream in subject.Registry.Graph.Upstream(cell))
        {
            if (
                CellValuesTable.Find(transaction, path, upstream) is not { } held
                || held.Incarnation != run.Execution.AttemptId
                || ExecutionsTable.Find(transaction, held.Execution) is not { } made
                || made.EndPosition > run.Execution.StartPosition
            )
            {
                return null; // Nobody can say which value it has read.
            }

            inputs[upstream.Value] = held.Execution.Value;
        }

        return new CellValue(cell, run.Execution.AttemptId!.Value, run.Execution.Id, run.SourceHash!, inputs);
    }

    private static void Announce(
        StoreTransaction transaction,
        string path,
        CascadeSubject subject,
        List<ClientRun> runs,
        AttemptId? incarnation,
        FeedLog feed
    )
    {
        List<CellId> ran = [.. runs.Where(static r => r.Cell is not null).Select(static r => r.Cell!.Value).Distinct()];
        if (ran.Count == 0)
        {
            return;
        }

        HashSet<CellId> stale = Staleness.Of(subject.Registry, subject.Cells, CellValuesTable.Of(transaction, path), incarnation);
        List<CellId> touched =
        [
            .. ran.Concat(ran.SelectMany(subject.Registry.Graph.Descendants)).Distinct().OrderBy(subject.Registry.Graph.Position),
        ];
        NotebookFreshness.Announce(
            feed,
            transaction,
            path,
            "cellRun",
            runs[0].Execution.KernelId,
            new CellFreshness(touched.FindAll(stale.Contains), touched.FindAll(c => !stale.Contains(c)))
        );
    }
}
