using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// The notebook runs that go on now. Each has one loop: it hands the cells to the kernel's supervisor, all of them at once, so that the
/// notebook goes on while the server is down; saves outputs into the file as they come; and when every cell is done saves for the last
/// time, and only then calls the run finished.
/// </summary>
public sealed partial class ActiveRuns : IDisposable
{
    /// <summary>
    /// Between two saves of a notebook that is running: people watch it, and saving costs as much as the notebook is large.
    /// </summary>
    private static readonly TimeSpan SaveInterval = TimeSpan.FromSeconds(1);

    private const int SaveTimeShare = 10;

    private readonly StateStore _store;
    private readonly FeedLog _feed;
    private readonly LiveKernels _kernels;
    private readonly StopKernel _stopKernel;
    private readonly CallbackLedger _callbacks;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly OutputAssets? _assets;
    private readonly ConcurrentDictionary<string, ActiveRun> _byId = new();
    private readonly ConcurrentDictionary<string, bool> _reserved = new();
    private readonly CancellationTokenSource _stopping = new();

    private sealed class Reservation(ConcurrentDictionary<string, bool> reserved, string path) : IDisposable
    {
        public void Dispose() => reserved.TryRemove(path, out _);
    }

    internal ActiveRuns(
        StateStore store,
        FeedLog feed,
        LiveKernels kernels,
        StopKernel stopKernel,
        CallbackLedger callbacks,
        TimeProvider time,
        ILogger<ActiveRuns> logger,
        OutputAssets? assets = null
    )
    {
        (_store, _feed, _kernels, _stopKernel, _callbacks, _time, _logger, _assets) = (
            store,
            feed,
            kernels,
            stopKernel,
            callbacks,
            time,
            logger,
            assets
        );
        _feed.Published += OnPublished;
    }

    public void Dispose()
    {
        _feed.Published -= OnPublished;
        _stopping.Cancel();
        _stopping.Dispose();
    }

    /// <summary>
    /// Holds a notebook for one run's beginning, so that two callers at once cannot both find it free; null when somebody else holds it.
    /// </summary>
    internal IDisposable? TryReserve(string path) => _reserved.TryAdd(path, true) ? new Reservation(_reserved, path) : null;

    internal bool IsActive(string path, [NotNullWhen(true)] out Run? run)
    {
        run = _byId.Values.FirstOrDefault(r => r.Run.Path == path && !r.Done.IsCompleted)?.Run;
        return run is not null;
    }

    /// <summary>A notebook, or the folder it is in, has another name: outputs go on into the file under that.</summary>
    internal void Move(string from, string to)
    {
        foreach (ActiveRun run in _byId.Values)
        {
            run.Move(from, to);
        }
    }

    internal ActiveRun Track(Run run, IEnumerable<(Execution Execution, CellRequest Request)> cells)
    {
        var active = new ActiveRun(run, cells, _assets?.Spools);
        _byId[run.Id] = active;
        return active;
    }

    /// <summary>Hands over and looks after a run whose kernel's journal it already reads along.</summary>
    internal void Begin(ActiveRun active, LiveKernel kernel, IReadOnlyList<(Execution Execution, CellRequest Request)> cells)
    {
        _ = HandOverAsync(active, kernel, cells);
        _ = LookAfterAsync(active, kernel);
    }

    /// <summary>
    /// Gives every cell that is not over to the supervisor, which sends each when the one before is done. One that it already has is not
    /// sent twice: it knows them by their ids, from the journal.
    /// </summary>
    private async Task HandOverAsync(ActiveRun active, LiveKernel kernel, IReadOnlyList<(Execution Execution, CellRequest Request)> cells)
    {
        try
        {
            SupervisorLink link = await kernel.Live.Link;
            await link.RequestAllAsync(
                cells.Select(cell => CellHandOver.Message(active, kernel, cell.Execution, cell.Request, _time.GetUtcNow())),
                _stopping.Token
            );
            active.MarkHandedOver();
        }
        catch (Exception e) when (e is IOException or LinkRefusedException or RefusedException or OperationCanceledException)
        {
            if (!_stopping.IsCancellationRequested && !kernel.Ended.IsCompleted && !active.Done.IsCompleted)
            {
                Log.HandOverFailed(_logger, active.Run.Id, e);
                await Task.Delay(SaveInterval, _time, CancellationToken.None);
                _ = HandOverAsync(active, kernel, cells);
            }
            else
            {
                active.MarkHandedOver();
            }
        }
    }

    /// <summary>
    /// Takes cells of a cascade out of the supervisor's queue. That they are not wanted is stored already; what comes of it, the journal
    /// tells. Those that begin all the same are interrupted, as they are marked.
    /// </summary>
    internal async Task WithdrawAsync(string run, IReadOnlyCollection<ExecutionId> cells)
    {
        if (!_byId.TryGetValue(run, out ActiveRun? active))
        {
            return;
        }

        active.Unwant(cells);
        try
        {
            // Not before the last was handed over: it would come after this, and run.
            await active.HandedOver.WaitAsync(_stopping.Token);
            if (_kernels.TryGet(active.Run.KernelId, out LiveKernel? kernel) && kernel.Live.Id == active.Run.AttemptId)
            {
                SupervisorLink link = await kernel.Live.Link.WaitAsync(_stopping.Token);
                await Task.WhenAll(
                    cells.Select(cell => link.RequestAsync(CellHandOver.Withdrawal(kernel, cell, isFinal: true), _stopping.Token))
                );
            }
        }
        catch (Exception e) when (e is IOException or RefusedException or LinkRefusedException or OperationCanceledException)
        {
            Log.HandOverFailed(_logger, run, e); // The next link hands over again, and takes back what is not wanted.
        }
    }

    private async Task LookAfterAsync(ActiveRun active, LiveKernel kernel)
    {
        try
        {
            // After a restart the folds are made again from the journal; half of one must not overwrite the whole one in the file.
            await kernel.CaughtUp.WaitAsync(_stopping.Token);
            while (!active.Done.IsCompleted)
            {
                await Task.WhenAny(active.Changed, active.Done).WaitAsync(_stopping.Token);
                active.ResetChanged();
                long start = _time.GetTimestamp();
                await KeepLargeOutputsAsync(active);
                Save(active);
                TimeSpan pause = _time.GetElapsedTime(start) * SaveTimeShare;
                await Task.WhenAny(active.Done, Task.Delay(pause > SaveInterval ? pause : SaveInterval, _time, _stopping.Token))
                    .WaitAsync(_stopping.Token);
            }

            await FinishAsync(active, kernel);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The next server folds it again from the journal.
        }
        finally
        {
            kernel.Unlisten(active);
        }
    }

    /// <summary>
    /// File first, then the row: a crash between the two saves the same outputs again, and never calls a run finished whose outputs are not
    /// in its file.
    /// </summary>
    private async Task FinishAsync(ActiveRun active, LiveKernel kernel)
    {
        await KeepLargeOutputsAsync(active);
        string? notSaved = Save(active);
        CrashPoints.Reach(CrashPoint.ServerNotebookSaved);
        (RunState state, string? reason) = active.Outcome();
        List<ExecutionId> owing = _assets is null ? [] : active.Owing(_assets.InlineBytesMax);
        reason = notSaved is null ? reason : $"{reason} {notSaved}".Trim();
        while (true)
        {
            try
            {
                await _store.WriteAsync(
                    transaction =>
                    {
                        long now = _time.NowMicroseconds();
                        RunsTable.Finish(transaction, active.Run.Id, state, reason, now);
                        owing.ForEach(execution => OwedOutputsTable.Put(transaction, execution, active.Run.Path, now));
                        _callbacks.Tell(
                            transaction,
                            active.Run.Id,
                            "run." + state.Name(),
                            writer => WriteEnd(writer, active.Run, state, reason, now)
                        );
                        _feed.Append(
                            transaction,
                            active.Run.IsCascade ? "cascade.ended" : "run." + state.Name(),
                            active.Run.Id,
                            writer =>
                            {
                                writer.WriteString("id", active.Run.Id);
                                writer.WriteString("path", active.Run.Path);
                                writer.WriteString("state", state.Name());
                                if (reason is not null)
                                {
                                    writer.WriteString("reason", reason);
                                }
                            }
                        );
                    },
                    CancellationToken.None
                );
                break;
            }
            catch (StoreException e)
            {
                Log.HandOverFailed(_logger, active.Run.Id, e);
                await Task.Delay(SaveInterval, _time, _stopping.Token);
            }
        }

        CrashPoints.Reach(CrashPoint.ServerRunFinished);
        _byId.TryRemove(active.Run.Id, out _);
        Log.Finished(_logger, active.Run.Id, state.Name());

        // A failed run's kernel is kept, variables and all, so that the run can be resumed from the cell that failed.
        if (active.Run.OwnsKernel && state is RunState.Succeeded or RunState.Cancelled && !kernel.Ended.IsCompleted)
        {
            await StopKernelAsync(kernel.Id);
        }
    }

    private static void WriteEnd(Utf8JsonWriter writer, Run run, RunState state, string? reason, long finishedAt)
    {
        writer.WriteString("id", run.Id);
        writer.WriteString("path", run.Path);
        writer.WriteString("state", state.Name());
        writer.WriteString("reason", reason);
        writer.WriteString("kernelId", run.KernelId.Value);
        writer.WriteTimeOrNull("createdAt", run.CreatedAt);
        writer.WriteTimeOrNull("finishedAt", finishedAt);
    }

    /// <summary>Ends a kernel that no run needs any more; what cannot be reached now is ended by whoever sees it in the list.</summary>
    internal async Task StopKernelAsync(KernelId id)
    {
        try
        {
            await _stopKernel.RunAsync(id, _stopping.Token);
        }
        catch (Exception e) when (e is RefusedException or LinkRefusedException or OperationCanceledException)
        {
            Log.KernelNotStopped(_logger, id.Value, e);
        }
    }

    /// <summary>Before the save that tells where they are: a notebook never names an asset that is not there.</summary>
    private async Task KeepLargeOutputsAsync(ActiveRun active)
    {
        if (_assets is not null && active.TakeLargeOutputs(_assets.InlineBytesMax) is { Count: > 0 } large)
        {
            await _assets.StoreAsync(large, NotebookStorage.RealPathOf(active.Run.Path), _stopping.Token);
        }
    }

    /// <summary>Null when saved; else why the outputs are not in the file, and what to do. They stay in the journal.</summary>
    private string? Save(ActiveRun active)
    {
        try
        {
            int edited = 0;
            bool isChanged = false;
            _ = NotebookFile.Update(
                active.Run.Path,
                notebook =>
                {
                    edited = active.WriteTo(notebook, _assets?.InlineBytesMax ?? int.MaxValue);
                    isChanged = notebook.IsChanged;
                }
            );
            if (isChanged)
            {
                active.MarkSaved();
            }

            return edited == 0 ? null : $"{edited} cell(s) were edited after they were sent; their outputs were left out of the notebook.";
        }
        catch (Exception e) when (e is RefusedException or IOException or UnauthorizedAccessException)
        {
            Log.NotSaved(_logger, active.Run.Path, e);
            return $"The outputs could not be written into the notebook ({e.Message}); 'holdfast logs' still has them.";
        }
    }

    private void OnPublished(FeedEvent published)
    {
        if (published.Kind.StartsWith("execution.", StringComparison.Ordinal))
        {
            foreach (ActiveRun active in _byId.Values)
            {
                active.OnPublished(published);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.NotebookNotSaved, LogLevel.Error, "Outputs could not be saved into {Path}.")]
        public static partial void NotSaved(ILogger logger, string path, Exception exception);

        [LoggerMessage(EventIds.RunFinished, LogLevel.Information, "Run {RunId} {State}.")]
        public static partial void Finished(ILogger logger, string runId, string state);

        [LoggerMessage(
            EventIds.RunKernelNotStopped,
            LogLevel.Warning,
            "Kernel {KernelId}, which no run needs any more, could not be stopped."
        )]
        public static partial void KernelNotStopped(ILogger logger, string kernelId, Exception exception);

        [LoggerMessage(
            EventIds.RunStepFailed,
            LogLevel.Warning,
            "A step of run {RunId} did not succeed and is tried again where that helps."
        )]
        public static partial void HandOverFailed(ILogger logger, string runId, Exception exception);
    }
}
