using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive.Registration;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>
/// What an edit has for consequences beyond the graph, whichever way it came. 1. Cells of a cascade that have not begun and would run
/// another text than the notebook's, or on other values than are to be, are superseded, with what needs them; 2. names that no cell defines
/// any more are removed from the kernel; 3. in a notebook with autorun what the edits made stale runs, which supersedes the whole rest.
/// That an edit is not settled is stored with it, and struck out in the transaction of the last step; all steps can be done again: a start
/// finishes what a crash has cut short.
/// Errors: notebook-*.
/// </summary>
public sealed class SettleEdits
{
    private readonly StateStore _store;
    private readonly ExecutionLedger _executions;
    private readonly ActiveRuns _active;
    private readonly CascadeSubjects _subjects;
    private readonly GhostRemoval _ghosts;
    private readonly RunCascade _runCascade;
    private readonly FeedLog _feed;
    private readonly string _root;

    internal SettleEdits(
        StateStore store,
        ExecutionLedger executions,
        ActiveRuns active,
        CascadeSubjects subjects,
        GhostRemoval ghosts,
        RunCascade runCascade,
        FeedLog feed,
        string root
    ) =>
        (_store, _executions, _active, _subjects, _ghosts, _runCascade, _feed, _root) = (
            store,
            executions,
            active,
            subjects,
            ghosts,
            runCascade,
            feed,
            root
        );

    /// <summary>The cascade that autorun began; null when there was nothing to run, or it is not on.</summary>
    public async Task<StartedCascade?> RunAsync(string path, CancellationToken cancellationToken)
    {
        path = NotebookStorage.RealPathOf(path, _root);
        NotebookFile notebook;
        using (await _subjects.TakeTurnAsync(path, cancellationToken))
        {
            notebook = NotebookFile.Load(path);
            if (!notebook.IsReactive)
            {
                await _store.WriteAsync(transaction => ReactiveEditsTable.Clear(transaction, path), cancellationToken);
                return null;
            }

            CascadeSubject subject = await _subjects.ReadAsync(notebook, forRun: false, cancellationToken);
            bool isSettled = false;
            List<(string Run, ExecutionId Cell)> overtaken = await _store.WriteAsync(
                transaction =>
                {
                    // A cascade that was planned meanwhile has taken the edits with it.
                    isSettled = ReactiveEditsTable.Of(transaction, path).Count == 0;
                    Ghosts.Note(transaction, path, subject.Registry);
                    if (!notebook.IsAutorun)
                    {
                        _ = ClientRuns.Settle(transaction, path, subject, ReactiveKernelsTable.IncarnationOf(transaction, path), _feed);
                        // What is still to be done is found again without it: from the rows of what is withdrawn, and of ghosts.
                        ReactiveEditsTable.Clear(transaction, path);
                    }

                    return Overtaken(transaction, path, subject);
                },
                cancellationToken
            );
            foreach (var run in overtaken.GroupBy(static o => o.Run, static o => o.Cell))
            {
                await _active.WithdrawAsync(run.Key, [.. run]);
            }

            await _ghosts.RunAsync(path, CancellationToken.None);
            if (isSettled && overtaken.Count == 0)
            {
                return null;
            }
        }

        return notebook.IsAutorun
            ? await _runCascade.RunAsync(new CascadeRequest { Path = path, IsAutorun = true }, CancellationToken.None)
            : null;
    }

    private List<(string, ExecutionId)> Overtaken(StoreTransaction transaction, string path, CascadeSubject subject)
    {
        var overtaken = new List<(string, ExecutionId)>();
        var gone = new HashSet<string>();
        foreach (Run cascade in RunsTable.OpenCascades(transaction, path))
        {
            foreach (Execution cell in ExecutionsTable.OfRun(transaction, cascade.Id).Where(static c => c.State == ExecutionState.Queued))
            {
                CellRequest request = CellValues.Request(transaction, cell);
                if (!IsAsPlanned(subject, request) || request.After?.Any(gone.Contains) == true)
                {
                    gone.Add(cell.Id.Value);
                    overtaken.Add((cascade.Id, cell.Id));
                    _ = _executions.Withdraw(transaction, cell.Id, ExecutionLedger.Superseded, "An edit has overtaken it.");
                }
            }
        }

        return overtaken;
    }

    private static bool IsAsPlanned(CascadeSubject subject, CellRequest request)
    {
        var id = new CellId(request.CellId!);
        return subject.Cells.TryGetValue(id, out CascadeCell? now)
            && now.Source == request.Source
            && subject.Registry.State(id).IsRunnable
            && subject.Registry.Graph.Upstream(id).Select(static u => u.Value).ToHashSet().SetEquals(request.Inputs?.Keys ?? []);
    }
}
