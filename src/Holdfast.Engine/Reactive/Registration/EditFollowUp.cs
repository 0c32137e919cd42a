using System.Collections.Concurrent;
using Holdfast.Engine.Reactive.Cascades;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// What follows an edit that was registered, a moment after the last key: it is brought into the file, and its consequences are settled (<see cref="SettleEdits"/>), which with autorun runs cells.
/// What a crash leaves undone is in the store, and is done after the next edit or run.
/// </summary>
public sealed partial class EditFollowUp(ReactiveNotebooks notebooks, Func<string, Task> settleAsync, TimeProvider time, ILogger<EditFollowUp> logger) : IDisposable
{
    /// <summary>A file is written whole, and cells are not run with every key.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(300);

    private readonly ConcurrentDictionary<string, ITimer> _timers = new();
    private volatile bool _isDisposed;

    public void Note(string path)
    {
        if (!_isDisposed)
        {
            _timers.GetOrAdd(path, p => time.CreateTimer(_ => _ = FollowAsync(p), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan)).Change(Quiet, Timeout.InfiniteTimeSpan);
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

    private async Task FollowAsync(string path)
    {
        try
        {
            using (await notebooks.TakeTurnAsync(path, CancellationToken.None))
            {
                if (_isDisposed)
                {
                    return;
                }

                await notebooks.ChangeAsync(path, static _ => { }, CancellationToken.None);
            }

            await settleAsync(path);
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
