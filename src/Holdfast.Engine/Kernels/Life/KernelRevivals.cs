using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;
using Holdfast.Protocol;
using Holdfast.Protocol.Jupyter;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Kernels.Life;

/// <summary>
/// Starts kernels that died again, when their time has come. 1. The death and the decision are one commit, which sets the time; 2. when it
/// has come, the next incarnation is committed, unless somebody stopped or restarted the kernel meanwhile; 3. it is launched. After a crash
/// between any two of these the next server finds the kernel restarting (1), or its incarnation never started (2), and goes on from there.
/// </summary>
public sealed partial class KernelRevivals(
    StateStore store,
    KernelLedger ledger,
    LiveKernels live,
    TimeProvider time,
    ILogger<KernelRevivals> logger
) : IDisposable
{
    /// <summary>Above what any policy asks for.</summary>
    private static readonly TimeSpan DelayMax = TimeSpan.FromHours(1);

    private static readonly TimeSpan StoreRetryDelay = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();

    /// <summary>
    /// Takes up what the server before left, and from then on every new decision; how many it takes up. To be called when recovery has
    /// judged what was open: what is launched before would be among it. A decision made in between is met twice, and done once.
    /// </summary>
    public int Start()
    {
        ledger.RestartDecided += Schedule;
        List<Kernel> left = store.Read(KernelsTable.Restarting);
        left.ForEach(Schedule);
        return left.Count;
    }

    public void Dispose()
    {
        ledger.RestartDecided -= Schedule;
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private void Schedule(Kernel kernel) => _ = ReviveWhenDueAsync(kernel);

    private async Task ReviveWhenDueAsync(Kernel kernel)
    {
        try
        {
            TimeSpan delay = TimeSpan.FromMicroseconds((kernel.RestartDueAt ?? 0) - time.NowMicroseconds());
            delay = delay < DelayMax ? delay : DelayMax; // Longer only where the clock was set back since.
            if (delay > TimeSpan.Zero)
            {
                await Task.Delay(delay, time, _stopping.Token);
            }

            CrashPoints.Reach(CrashPoint.ServerKernelRestartDue);
            await ReviveAsync(kernel);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The next server finds it restarting.
        }
    }

    private async Task ReviveAsync(Kernel dead)
    {
        while (true)
        {
            try
            {
                if (KernelSpecSearch.Search().Find(dead.SpecName) is not { } spec)
                {
                    await store.WriteAsync(
                        transaction =>
                            ledger.GiveUp(transaction, dead, $"It was not started again, since the kernelspec '{dead.SpecName}' is gone."),
                        _stopping.Token
                    );
                    return;
                }

                (Kernel Kernel, Attempt Attempt)? next = await store.WriteAsync(
                    transaction => ledger.Revive(transaction, dead),
                    _stopping.Token
                );
                if (next is { } revived)
                {
                    Log.Revived(logger, dead.Id.Value, revived.Kernel.Restarts);
                    live.Launch(revived.Kernel, revived.Attempt, spec, []);
                }

                return;
            }
            catch (StoreException e)
            {
                Log.NotRevived(logger, dead.Id.Value, e);
                await Task.Delay(StoreRetryDelay, time, _stopping.Token);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.KernelRevived,
            LogLevel.Information,
            "Kernel {KernelId} is started again after its death, restart {Restarts}."
        )]
        public static partial void Revived(ILogger logger, string kernelId, int restarts);

        [LoggerMessage(EventIds.KernelNotRevived, LogLevel.Error, "Kernel {KernelId} could not be started again yet; it is tried again.")]
        public static partial void NotRevived(ILogger logger, string kernelId, Exception exception);
    }
}
