using System.Collections.Concurrent;
using Holdfast.Engine.Reactive.Cascades;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// What follows an edit that was registered, a moment after the last key: it is brought into the file, and its consequences are settled (<see cref="SettleEdits"/>), which with autorun runs cells.
/// What a crash leaves undone is in the store, and is done after the next edit or run.
/// </summary>
public sealed partial class EditFollowUp(
    ReactiveNotebooks notebooks, Func<string, bool> hasKernel, Func<string, Task> settleAsync, TimeProvider time, ILogger<EditFollowUp> logger) : IDisposable
{
    /// <summary>A file is written whole, and cells are not run with every key.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(300);

    // A large file takes long to write: whoever types slowly is not to wait for that with every key.
    private const int QuietTimesDuration = 5;

    private readonly ConcurrentDictionary<string, ITimer> _timers = new();
    private readonly ConcurrentDictionary<string, TimeSpan> _durations = new();
    private volatile bool _isDisposed;

    public void Note(string path)
    {
        if (!_isDisposed)
        {
            _timers.GetOrAdd(path, p => time.CreateTimer(_ => _ = FollowAsync(p), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan)).Change(QuietOf(path), Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        foreach (ITimer timer in _timers.Values)
        {
            timer.Dispose();
        }
    }

    private TimeSpan QuietOf(string path) =>
        _durations.TryGetValue(path, out TimeSpan last) && last * QuietTimesDuration > Quiet ? last * QuietTimesDuration : Quiet;

    private async Task FollowAsync(string path)
    {
        try
        {
            bool isAutorun;
            long start;
            using (await notebooks.TakeTurnAsync(path, CancellationToken.None))
            {
                if (_isDisposed)
                {
                    return;
                }

                start = time.GetTimestamp();
                isAutorun = (await notebooks.ChangeAsync(path, static _ => { }, CancellationToken.None)).IsAutorun;
            }

            // A notebook that has never run has nothing that could be overtaken.
            if (isAutorun || hasKernel(path))
            {
                await settleAsync(path);
            }

            _durations[path] = time.GetElapsedTime(start);
        }
        catch (Exception failure)
        {
            // Most likely the file is gone or read-only, or a run has the notebook; the next edit comes here again.
            Log.NotFollowed(logger, path, failure.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.EditsNotFollowed, LogLevel.Warning, "The edits of {Path} are stored; what follows from them could not be done: {Reason}")]
        public static partial void NotFollowed(ILogger logger, string path, string reason);
    }
}
