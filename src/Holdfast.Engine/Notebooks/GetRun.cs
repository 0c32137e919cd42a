using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Notebooks;

/// <summary>Reads a run with its cells, at once or when it is over. Errors: run-not-found.</summary>
public sealed class GetRun(StateStore store, FeedLog feed, TimeProvider time)
{
    public RunView Run(string id) => store.Read(reader =>
    {
        Run run = RunsTable.Find(reader, id) ?? throw new RefusedException(ErrorCodes.RunNotFound, $"There is no notebook run '{id}'.");
        return new RunView(run, ExecutionsTable.OfRun(reader, id).ConvertAll(e => new RunCellView(e.CellIndex!.Value, e.CellId, e)), run.KernelId);
    });

    /// <summary>Waits until the run is over or the time is up, and returns it as it then is.</summary>
    public async Task<RunView> WaitAsync(string id, TimeSpan timeout, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        while (true)
        {
            Task growth = feed.Growth;
            RunView view = Run(id);
            TimeSpan left = timeout - time.GetElapsedTime(start);
            if (view.Run.FinishedAt is not null || left <= TimeSpan.Zero)
            {
                return view;
            }

            try
            {
                await growth.WaitAsync(left, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return Run(id);
            }
        }
    }
}
