using System.Collections.Concurrent;
using System.Globalization;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Jupyter;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Kernels.Life;

/// <summary>
/// Ends kernels that nobody uses. Looks when the first of them falls due, and when something happens that can make one due sooner: a kernel
/// comes, dies, or loses its last client. While nothing can be culled there is no timer at all.
/// </summary>
public sealed partial class KernelCulling(
    StateStore store,
    FeedLog feed,
    KernelLedger ledger,
    LiveKernels live,
    StopKernel stop,
    CullOptions options,
    TimeProvider time,
    ILogger<KernelCulling> logger
) : IDisposable
{
    private readonly ConcurrentDictionary<string, TimeSpan?> _timeouts = new(); // by kernelspec, as long as the server runs
    private readonly ConcurrentDictionary<string, bool> _ending = new();
    private readonly IdleClock _idle = new(time); // the loop's own
    private readonly CancellationTokenSource _stopping = new();
    private volatile TaskCompletionSource _woken = NewSignal();

    public void Start()
    {
        live.Tracked += OnTracked;
        feed.Published += OnPublished;
        foreach (LiveKernel kernel in live.All)
        {
            kernel.LastClientLeft += Wake;
        }

        _ = RunAsync();
    }

    public void Dispose()
    {
        live.Tracked -= OnTracked;
        feed.Published -= OnPublished;
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void OnTracked(LiveKernel kernel)
    {
        kernel.LastClientLeft += Wake;
        Wake();
    }

    private void OnPublished(FeedEvent published)
    {
        if (published.Kind is "kernel.dead" or "kernel.running")
        {
            Wake();
        }
    }

    private void Wake() => Interlocked.Exchange(ref _woken, NewSignal()).TrySetResult();

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                Task woken = _woken.Task;
                long? next = null;
                try
                {
                    next = await LookAsync(time.NowMicroseconds());
                }
                catch (StoreException e)
                {
                    Log.NotCulled(logger, e);
                    next = time.NowMicroseconds();
                }

                using var cancelWait = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                Task due = next is { } at
                    ? Task.Delay(Pause(at), time, cancelWait.Token)
                    : Task.Delay(Timeout.InfiniteTimeSpan, time, cancelWait.Token);
                await Task.WhenAny(woken, due);
                await cancelWait.CancelAsync();
                _stopping.Token.ThrowIfCancellationRequested();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException && _stopping.IsCancellationRequested)
        {
            // The server stops; kernels go on.
        }
    }

    /// <summary>A day at most: timers take no more than some weeks.</summary>
    private TimeSpan Pause(long at)
    {
        TimeSpan until = TimeSpan.FromMicroseconds(Math.Max(0, at - time.NowMicroseconds()));
        return until < options.Interval ? options.Interval
            : until < TimeSpan.FromDays(1) ? until
            : TimeSpan.FromDays(1);
    }

    /// <summary>Ends what is due; returns when to look again, null for when something happens.</summary>
    private async Task<long?> LookAsync(long now)
    {
        long? next = null;
        HashSet<string> looked = [];
        foreach (LiveKernel kernel in live.All)
        {
            if (
                kernel.IsReady
                && !kernel.Ended.IsCompleted
                && TimeoutOf(kernel.SpecName) is { } timeout
                && store.Read(r => KernelsTable.Find(r, kernel.Id)) is { IsWarm: false } row
            )
            {
                long lastActivity = _idle.ActivityOf(kernel.Live.Id.Value, Math.Max(row.LastActivityAt, kernel.LastActivityAt), now);
                looked.Add(kernel.Live.Id.Value);
                CullVerdict verdict = CullRule.Judge(new Idleness(lastActivity, kernel.IsBusy, kernel.Connections), timeout, options, now);
                next = Earlier(next, verdict.LookAgainAt);
                if (verdict.IsCulled)
                {
                    _ = CullAsync(kernel, TimeSpan.FromMicroseconds(now - lastActivity));
                }
            }
        }

        next = Earlier(next, await LookAtDeadAsync(now, looked));
        _idle.Keep(looked);
        return next;
    }

    private async Task<long?> LookAtDeadAsync(long now, HashSet<string> looked)
    {
        if (options.IdleTimeout is null && !_timeouts.Values.Any(static t => t > TimeSpan.Zero))
        {
            return null;
        }

        long? next = null;
        foreach (Kernel dead in store.Read(KernelsTable.Dead))
        {
            if (TimeoutOf(dead.SpecName) is { } timeout)
            {
                long lastActivity = _idle.ActivityOf(dead.Id.Value, dead.LastActivityAt, now);
                looked.Add(dead.Id.Value);
                CullVerdict verdict = CullRule.Judge(new Idleness(lastActivity, false, 0), timeout, options, now);
                next = Earlier(next, verdict.LookAgainAt);
                if (verdict.IsCulled)
                {
                    string reason = $"It was {Sentence(TimeSpan.FromMicroseconds(now - lastActivity))}; it had died. {dead.Reason}";
                    await store.WriteAsync(transaction => ledger.Lay(transaction, dead.Id, reason), _stopping.Token);
                }
            }
        }

        return next;
    }

    private async Task CullAsync(LiveKernel kernel, TimeSpan idle)
    {
        if (!_ending.TryAdd(kernel.Live.Id.Value, true))
        {
            return;
        }

        try
        {
            Log.Culled(logger, kernel.Id.Value, (long)idle.TotalSeconds);
            await stop.RunAsync(kernel.Id, KernelStop.Culled, $"It was {Sentence(idle)}.", _stopping.Token);
        }
        catch (Exception e) when (e is RefusedException or LinkRefusedException or OperationCanceledException)
        {
            if (!_stopping.IsCancellationRequested)
            {
                Log.NotCulled(logger, e); // Out of reach now; the next look finds it again.
            }
        }
        finally
        {
            _ending.TryRemove(kernel.Live.Id.Value, out _);
        }
    }

    private static string Sentence(TimeSpan idle) =>
        string.Create(CultureInfo.InvariantCulture, $"culled after {(long)idle.TotalSeconds} s idle");

    private static long? Earlier(long? a, long? b) => a is { } first && b is { } second ? Math.Min(first, second) : a ?? b;

    /// <summary>Null for never. A kernelspec is read when its first kernel is seen; its timeout changes with the next server.</summary>
    private TimeSpan? TimeoutOf(string specName)
    {
        TimeSpan? own = _timeouts.GetOrAdd(
            specName,
            static name => KernelSpecSearch.Search().Find(name) is { } spec ? KernelMetadata.CullIdleTimeout(spec) : null
        );
        TimeSpan? timeout = own ?? options.IdleTimeout;
        return timeout > TimeSpan.Zero ? timeout : null;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.KernelCulled, LogLevel.Information, "Kernel {KernelId} is culled after {Seconds} s idle.")]
        public static partial void Culled(ILogger logger, string kernelId, long seconds);

        [LoggerMessage(EventIds.KernelNotCulled, LogLevel.Warning, "An idle kernel could not be culled; it is tried again.")]
        public static partial void NotCulled(ILogger logger, Exception exception);
    }
}
