using System.Collections.Concurrent;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Reactive.Cascades;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// What follows an edit that was registered, a moment after the last key: it is brought into the file, and its consequences are settled
/// (<see cref="SettleEdits"/>), which with autorun runs cells. That this is to be done is stored with the edit: a start does what a crash
/// left undone. Where a run has the notebook, it is done when that is over.
/// </summary>
public sealed partial class EditFollowUp : IDisposable
{
    /// <summary>A file is written whole, and cells are not run with every key.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(300);

    // A large file takes long to write: whoever types slowly is not to wait for that with every key.
    private const int QuietTimesDuration = 5;

    // Somebody always types: the others are to see something come of it all the same.
    private const int LatestTimesQuiet = 15;

    private readonly ReactiveNotebooks _notebooks;
    private readonly FeedLog _feed;
    private readonly Func<string, bool> _hasKernel;
    private readonly Func<string, Task> _settleAsync;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, ITimer> _timers = new();
    private readonly ConcurrentDictionary<string, TimeSpan> _durations = new();
    private readonly ConcurrentDictionary<string, long> _first = new(); // When the first edit came of those that are not followed.
    private readonly ConcurrentDictionary<string, bool> _waiting = new();
    private volatile bool _isDisposed;

    public EditFollowUp(
        ReactiveNotebooks notebooks,
        FeedLog feed,
        Func<string, bool> hasKernel,
        Func<string, Task> settleAsync,
        TimeProvider time,
        ILogger<EditFollowUp> logger
    )
    {
        (_notebooks, _feed, _hasKernel, _settleAsync, _time, _logger) = (notebooks, feed, hasKernel, settleAsync, time, logger);
        _feed.Published += OnPublished;
        _notebooks.Edited += Note;
    }

    public void Note(string path)
    {
        if (!_isDisposed)
        {
            TimeSpan quiet = QuietOf(path);
            TimeSpan waited = _time.GetElapsedTime(_first.GetOrAdd(path, _ => _time.GetTimestamp()));
            TimeSpan left = (quiet * LatestTimesQuiet) - waited;
            _timers
                .GetOrAdd(path, NewTimer)
                .Change(
                    left < TimeSpan.Zero ? TimeSpan.Zero
                        : left < quiet ? left
                        : quiet,
                    Timeout.InfiniteTimeSpan
                );
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        _feed.Published -= OnPublished;
        _notebooks.Edited -= Note;
        foreach (ITimer timer in _timers.Values)
        {
            timer.Dispose();
        }
    }

    /// <summary>Whoever makes the first edit does not give its trace to what follows from all others.</summary>
    private ITimer NewTimer(string path)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return Create();
        }

        using AsyncFlowControl flow = ExecutionContext.SuppressFlow();
        return Create();

        ITimer Create() => _time.CreateTimer(_ => _ = FollowAsync(path), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private TimeSpan QuietOf(string path) =>
        _durations.TryGetValue(path, out TimeSpan last) && last * QuietTimesDuration > Quiet ? last * QuietTimesDuration : Quiet;

    private void OnPublished(FeedEvent published)
    {
        if (!_waiting.IsEmpty && published.Kind.StartsWith("run.", StringComparison.Ordinal) && published.Kind != "run.running")
        {
            foreach (string path in _waiting.Keys)
            {
                Note(path);
            }
        }
    }

    private async Task FollowAsync(string path)
    {
        try
        {
            _waiting.TryRemove(path, out _);
            _first.TryRemove(path, out _);
            bool isSettled;
            long start;
            using (await _notebooks.TakeTurnAsync(path, CancellationToken.None))
            {
                if (_isDisposed)
                {
                    return;
                }

                start = _time.GetTimestamp();
                ReactiveNotebook notebook = await _notebooks.ChangeAsync(path, static _ => { }, CancellationToken.None);
                isSettled = !notebook.IsAutorun && !_hasKernel(path);
                if (isSettled)
                {
                    await _notebooks.ClearEditsAsync(path);
                }
            }

            if (!isSettled)
            {
                await _settleAsync(path);
            }

            _durations[path] = _time.GetElapsedTime(start);
        }
        catch (Exception failure)
        {
            if (failure is RefusedException { Code: ErrorCodes.NotebookBusy })
            {
                _waiting[path] = true;
            }

            // Most likely the file is gone or read-only, or a run has the notebook; the next edit comes here again, and so does the next
            // start.
            Log.NotFollowed(_logger, path, failure.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.EditsNotFollowed,
            LogLevel.Warning,
            "The edits of {Path} are stored; what follows from them could not be done: {Reason}"
        )]
        public static partial void NotFollowed(ILogger logger, string path, string reason);
    }
}
