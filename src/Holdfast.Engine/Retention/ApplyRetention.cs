using Holdfast.Engine.Executions;
using Holdfast.Engine.Recovery.Orphans;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Retention;

/// <summary>What was deleted.</summary>
public sealed record RetentionResult(int Executions, int Journals, int Attempts, int Runs, int Kernels, int Events);

/// <summary>
/// Deletes what is over and older than is kept, a few rows per transaction, so that nobody waits behind it: 1. the rows go in one
/// transaction with what belongs to them; 2. after the commit the attempts' folders go by way of the trash. A crash between the two leaves
/// folders that no row knows, which the sweep for orphans finds.
/// </summary>
public sealed partial class ApplyRetention : IDisposable
{
    private const int BatchMax = 200;
    private const int ShrinkPages = 256;

    /// <summary>Between two batches: they are nobody's hurry.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly StateStore _store;
    private readonly AttemptFolders _folders;
    private readonly TrashFolder _trash;
    private readonly RetentionOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Turnstile _one = new();

    internal ApplyRetention(
        StateStore store,
        AttemptFolders folders,
        TrashFolder trash,
        RetentionOptions options,
        TimeProvider time,
        ILogger logger
    ) => (_store, _folders, _trash, _options, _time, _logger) = (store, folders, trash, options, time, logger);

    public RetentionOptions Options => _options;

    public Task<RetentionResult> RunAsync(CancellationToken cancellationToken)
    {
        Actor.Does(nameof(ApplyRetention), "retention");
        return _one.RunAsync(ApplyAsync, cancellationToken);
    }

    private async Task<RetentionResult> ApplyAsync(CancellationToken cancellationToken)
    {
        int attempts = 0,
            executions = 0,
            journals = 0,
            runs = 0,
            kernels = 0,
            events = 0;
        if (Before(_options.Executions) is { } oldExecutions)
        {
            executions = await RepeatAsync(
                () => DeleteExecutionsAsync(oldExecutions, count => attempts += count, cancellationToken),
                cancellationToken
            );
            runs = await RepeatAsync(
                () => _store.WriteAsync(t => RetentionTable.DeleteRuns(t, oldExecutions, BatchMax), cancellationToken),
                cancellationToken
            );
            attempts += await RepeatAsync(
                () => RemoveFoldersAsync(t => RetentionTable.DeleteKernelAttempts(t, oldExecutions, BatchMax), cancellationToken),
                cancellationToken
            );
            kernels = await RepeatAsync(
                () => _store.WriteAsync(t => RetentionTable.DeleteKernels(t, oldExecutions, BatchMax), cancellationToken),
                cancellationToken
            );
        }

        if (Before(_options.Output) is { } oldOutput)
        {
            long now = _time.NowMicroseconds();
            journals = await RepeatAsync(
                () => RemoveFoldersAsync(t => RetentionTable.MarkJournals(t, oldOutput, now, BatchMax), cancellationToken),
                cancellationToken
            );
        }

        if (Before(_options.Events) is { } oldEvents)
        {
            events = await RepeatAsync(
                () => _store.WriteAsync(t => RetentionTable.DeleteEvents(t, oldEvents, BatchMax * 5), cancellationToken),
                cancellationToken,
                BatchMax * 5
            );
        }

        var result = new RetentionResult(executions, journals, attempts, runs, kernels, events);
        if (executions + journals + attempts + runs + kernels + events > 0)
        {
            await _store.WriteAsync(static t => RetentionTable.Shrink(t, ShrinkPages), cancellationToken);
            Log.Applied(_logger, executions, journals, events);
        }

        return result;
    }

    private long? Before(TimeSpan kept) =>
        kept > TimeSpan.Zero ? _time.NowMicroseconds() - (kept.Ticks / TimeSpan.TicksPerMicrosecond) : null;

    private async Task<int> RepeatAsync(Func<Task<int>> batch, CancellationToken cancellationToken, int full = BatchMax)
    {
        int all = 0;
        while (true)
        {
            int count = await batch();
            all += count;
            if (count < full)
            {
                return all;
            }

            await Task.Delay(Pause, _time, cancellationToken);
        }
    }

    private async Task<int> DeleteExecutionsAsync(long before, Action<int> countAttempts, CancellationToken cancellationToken)
    {
        List<string> old = _store.Read(reader => RetentionTable.Executions(reader, before, BatchMax));
        (int deleted, List<string> attempts) = await _store.WriteAsync(
            transaction =>
            {
                int count = 0;
                var ofThem = new List<string>();
                foreach (string id in old)
                {
                    if (RetentionTable.DeleteExecution(transaction, id, before) is { } ofIt)
                    {
                        ofThem.AddRange(ofIt);
                        count++;
                    }
                }

                return (count, ofThem);
            },
            cancellationToken
        );
        RemoveFolders(attempts);
        countAttempts(attempts.Count);
        return deleted;
    }

    private async Task<int> RemoveFoldersAsync(Func<StoreTransaction, List<string>> change, CancellationToken cancellationToken)
    {
        List<string> attempts = await _store.WriteAsync(change, cancellationToken);
        RemoveFolders(attempts);
        return attempts.Count;
    }

    private void RemoveFolders(List<string> attempts)
    {
        if (attempts.Count > 0)
        {
            CrashPoints.Reach(CrashPoint.ServerRetentionCommitted);
        }

        attempts.ForEach(RemoveFolder);
        try
        {
            _trash.Due().ForEach(TrashFolder.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotRemoved(_logger, "trash", e);
        }
    }

    /// <summary>Not one whose lock is held, whatever the store says: the sweep for orphans deals with it.</summary>
    private void RemoveFolder(string attempt)
    {
        string folder = _folders.Of(new AttemptId(attempt));
        try
        {
            if (Directory.Exists(folder))
            {
                using FileLock? held = FileLock.TryAcquire(new AttemptFiles(folder).Lock);
                if (held is not null)
                {
                    _trash.Put(folder, TimeSpan.Zero);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotRemoved(_logger, folder, e); // The sweep for orphans finds it.
        }
    }

    public void Dispose() => _one.Dispose();

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.RetentionApplied,
            LogLevel.Information,
            "Deleted what was older than is kept: {Executions} executions, {Journals} journals, {Events} events."
        )]
        public static partial void Applied(ILogger logger, int executions, int journals, int events);

        [LoggerMessage(
            EventIds.RetentionFolderNotRemoved,
            LogLevel.Warning,
            "The folder {Folder} is older than is kept and could not be removed; the next sweep tries again."
        )]
        public static partial void NotRemoved(ILogger logger, string folder, Exception exception);
    }
}
