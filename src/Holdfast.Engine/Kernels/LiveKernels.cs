using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Jobs;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// The kernels that have a process: launches their supervisors, attaches to those that are found again, and lets go of those that ended.
/// </summary>
public sealed partial class LiveKernels(
    StateStore store,
    ExecutionLedger executions,
    KernelLedger kernels,
    LiveAttempts attempts,
    AttemptFolders folders,
    KernelOptions options,
    SupervisorSpawner spawner,
    AttemptRescuer rescuer,
    EngineMeters meters,
    TimeProvider time,
    ILogger<LiveKernels> logger
) : IDisposable
{
    private readonly ConcurrentDictionary<string, LiveKernel> _byId = new();
    private static readonly TimeSpan RescueRetryDelay = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();

    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ICollection<LiveKernel> All => _byId.Values;

    /// <summary>An incarnation has come to be, or was found again. Raised before its journal is read; handlers only take note.</summary>
    public event Action<LiveKernel>? Tracked;

    /// <summary>
    /// Completes when a kernel gets an incarnation, or has lost its own. Take it before looking, so that nothing slips between.
    /// </summary>
    public Task Changed => _changed.Task;

    public bool TryGet(KernelId id, [NotNullWhen(true)] out LiveKernel? kernel) => _byId.TryGetValue(id.Value, out kernel);

    /// <summary>A live kernel; refused with what became of it when it has none.</summary>
    public LiveKernel Get(KernelId id)
    {
        if (TryGet(id, out LiveKernel? live))
        {
            return live;
        }

        Kernel kernel = store.Read(reader => KernelsTable.Find(reader, id)) ?? throw KernelId.NotFound(id.Value);
        throw new RefusedException(ErrorCodes.KernelNotRunning, $"Kernel {id} is {kernel.State.Name()}. {kernel.Reason}".TrimEnd());
    }

    /// <summary>Stops acting on what is heard; the kernels live on.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    /// <summary>
    /// Starts the incarnation that was just committed. Returns at once; <see cref="LiveKernel.Ready"/> tells how it went.
    /// </summary>
    internal LiveKernel Launch(
        Kernel kernel,
        Attempt attempt,
        KernelSpec spec,
        IEnumerable<ExecutionId> handedOver,
        Action<LiveKernel>? beforeReading = null
    )
    {
        LiveKernel live = Track(kernel, attempt);
        beforeReading?.Invoke(live);
        live.Start(0, handedOver);
        _ = LaunchAsync(live, kernel, spec);
        return live;
    }

    /// <summary>An incarnation that was found at start-up: read from a position on, and attached when it lives.</summary>
    internal async Task<LiveKernel> AdoptAsync(
        Kernel kernel,
        Attempt attempt,
        AttemptVerdict verdict,
        long position,
        IEnumerable<ExecutionId> handedOver,
        Action<LiveKernel> beforeReading,
        CancellationToken cancellationToken
    )
    {
        LiveKernel live = Track(kernel, attempt);
        beforeReading(live);
        live.Start(position, handedOver);
        await SettleAsync(live, verdict, cancellationToken);
        return live;
    }

    private LiveKernel Track(Kernel kernel, Attempt attempt)
    {
        var live = new LiveAttempt(attempt, folders.Of(attempt.Id));
        attempts.Add(live);
        var tracked = new LiveKernel(kernel, live, store, executions, kernels, time, logger);
        _byId[kernel.Id.Value] = tracked;
        Tracked?.Invoke(tracked);

        TellChanged();
        _ = ForgetWhenEndedAsync(tracked);
        return tracked;
    }

    private async Task ForgetWhenEndedAsync(LiveKernel live)
    {
        await live.Ended;
        _byId.TryRemove(new KeyValuePair<string, LiveKernel>(live.Id.Value, live));
        attempts.Remove(live.Live);
        TellChanged();
    }

    private void TellChanged() =>
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    private async Task LaunchAsync(LiveKernel live, Kernel kernel, KernelSpec spec)
    {
        long start = time.GetTimestamp();
        try
        {
            KernelLaunchSpec.Write(live.Live, kernel, spec, folders, options);
            CrashPoints.Reach(CrashPoint.ServerKernelSpecWritten);
            (int _, System.Net.Sockets.Socket socket) = spawner.Spawn(live.Live.Files.Directory);
            CrashPoints.Reach(CrashPoint.ServerSupervisorSpawned);
            Open(
                live,
                await SupervisorLink.OverAsync(socket, live.Live.Attempt.Nonce, notice => OnNotice(live, notice), time, _stopping.Token)
            );
            await live.Live.WatchAsync(_stopping.Token);
            Log.Started(logger, live.Id.Value, live.SpecName);
            _ = MeasureStartAsync(live, start);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or TimeoutException or LinkRefusedException)
        {
            Log.LaunchFailed(logger, live.Id.Value, e);
            await RescueAsync(live);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The next server finds it.
        }
    }

    private async Task MeasureStartAsync(LiveKernel live, long start)
    {
        await live.Ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        meters.KernelStarted(live.IsReady, time.GetElapsedTime(start));
    }

    private void Open(LiveKernel live, SupervisorLink link)
    {
        live.Live.Attach(link);
        _ = WatchClosingAsync(live, link);
        live.Live.Pulse();
    }

    private static void OnNotice(LiveKernel live, LinkMessage notice)
    {
        live.Live.Take(notice);
        if (notice.Type is LinkMessageType.Exited or LinkMessageType.Ready)
        {
            live.Live.Pulse();
        }
    }

    private async Task WatchClosingAsync(LiveKernel live, SupervisorLink link)
    {
        await link.Closed;
        if (!_stopping.IsCancellationRequested && !live.Ended.IsCompleted)
        {
            await RescueAsync(live);
        }
    }

    private async Task RescueAsync(LiveKernel live)
    {
        try
        {
            while (!await TrySettleAsync(live))
            {
                await Task.Delay(RescueRetryDelay, time, _stopping.Token);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The next server finds it.
        }
    }

    /// <summary>False when the folder could not be judged this time: a full disk or too many open files pass.</summary>
    private async Task<bool> TrySettleAsync(LiveKernel live)
    {
        try
        {
            await SettleAsync(live, await rescuer.JudgeAsync(live.Live, _stopping.Token), _stopping.Token);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or LinkRefusedException)
        {
            Log.LaunchFailed(logger, live.Id.Value, e);
            return false;
        }
    }

    private async Task SettleAsync(LiveKernel live, AttemptVerdict verdict, CancellationToken cancellationToken)
    {
        switch (verdict.Fate)
        {
            case AttemptFate.Alive:
                SupervisorLink? link = await rescuer.ReattachAsync(live.Live, notice => OnNotice(live, notice), cancellationToken);
                if (link is null)
                {
                    _ = RescueAsync(live);
                    return;
                }

                Open(live, link);
                await live.Live.WatchAsync(cancellationToken);
                live.Live.Pulse();
                break;
            case AttemptFate.NeverStarted:
                live.LostReason = "Its supervisor was never started.";
                live.Live.End();
                break;
            default:
                if (verdict.Fate == AttemptFate.Lost)
                {
                    LeftoverSweep.Run(live.Live.Id.Value, live.Live.Attempt.Nonce);
                    LeftoverSweep.RemoveSocket(verdict.Supervisor);
                }

                live.LostReason = verdict.Reason;
                live.Live.End();
                break;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.KernelStarted, LogLevel.Information, "Kernel {KernelId} ({SpecName}) has a supervisor.")]
        public static partial void Started(ILogger logger, string kernelId, string specName);

        [LoggerMessage(
            EventIds.KernelLaunchFailed,
            LogLevel.Error,
            "Kernel {KernelId} could not be launched; its folder decides what becomes of it."
        )]
        public static partial void LaunchFailed(ILogger logger, string kernelId, Exception exception);
    }
}
