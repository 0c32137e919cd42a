using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Notebooks;

/// <summary>Reads a run with its cells, at once or when it is over. Errors: run-not-found.</summary>
public sealed class GetRun(StateStore store, EndWaiters waiters, TimeProvider time)
{
    public RunView Run(string id) =>
        store.Read(reader =>
        {
            Run run = RunsTable.Find(reader, id) ?? throw new RefusedException(ErrorCodes.RunNotFound, $"There is no notebook run '{id}'.");
            return new RunView(
                run,
                ExecutionsTable.OfRun(reader, id).ConvertAll(e => new RunCellView(e.CellIndex!.Value, e.CellId, e)),
                run.KernelId
            );
        });

    /// <summary>
    /// Waits until the run is over or the time is up, and returns it as it then is. Its cells are read then, and not each time that one of
    /// them ends.
    /// </summary>
    public async Task<RunView> WaitAsync(string id, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (timeout > TimeSpan.Zero)
        {
            Task ended = waiters.NextEndAsync(id);
            if (store.Read(reader => RunsTable.Find(reader, id)) is { FinishedAt: null })
            {
                await ended.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
            }
            else
            {
                waiters.Forget(id);
            }
        }

        return Run(id);
    }
}
