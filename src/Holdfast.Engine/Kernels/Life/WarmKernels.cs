using System.Collections.Concurrent;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Jupyter;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Kernels.Life;

/// <summary>
/// Kernels started in advance, so many per kernelspec, in the server's root and with nothing added to their environment. Whoever asks for
/// one exactly like that gets one which is ready, and the next is started behind it; nobody's code is ever run to make one fit. They are
/// stored as warm and under supervisors like all others, so that they outlive the server; what a changed setting no longer wants is ended
/// at the next start.
/// </summary>
public sealed partial class WarmKernels(
    StateStore store,
    KernelLedger ledger,
    LiveKernels live,
    StopKernel stop,
    KernelOptions options,
    string root,
    TimeProvider time,
    ILogger<WarmKernels> logger
) : IDisposable
{
    /// <summary>After a warm kernel that died or would not start: a kernelspec that is broken must not keep the machine busy.</summary>
    private static readonly TimeSpan FailureDelayMax = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, LiveKernel> _waiting = new(); // by kernel id
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _wanting = new(); // by kernelspec
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>
    /// After recovery: takes over the warm kernels of the server before, ends those that nobody wants any more, starts those that are
    /// missing.
    /// </summary>
    public void Start()
    {
        Dictionary<string, int> wanted = new(options.Warm);
        foreach (LiveKernel found in live.All)
        {
            if (store.Read(reader => KernelsTable.Find(reader, found.Id)) is not { IsWarm: true } kernel)
            {
                continue;
            }

            if (kernel.WorkingDirectory == root && wanted.GetValueOrDefault(kernel.SpecName) is > 0 and var missing)
            {
                wanted[kernel.SpecName] = missing - 1;
                Keep(found);
            }
            else
            {
                _ = StopAsync(found);
            }
        }

        foreach ((string specName, int count) in options.Warm)
        {
            _ = FillAsync(specName, count);
        }
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    /// <summary>A kernel that is ready for exactly this plan, made the caller's in one commit; null when there is none.</summary>
    internal async Task<Kernel?> TakeAsync(
        KernelPlan plan,
        Action<StoreTransaction, Kernel>? alsoStore,
        CancellationToken cancellationToken
    )
    {
        if (plan.Environment.Count > 0 || plan.WorkingDirectory != root)
        {
            return null;
        }

        LiveKernel[] ready =
        [
            .. _waiting.Values.Where(k =>
                k.SpecName == plan.SpecName && k is { IsReady: true, HasHeartbeat: true, Ended.IsCompleted: false }
            ),
        ];
        if (ready.Length == 0)
        {
            return null;
        }

        Kernel? taken = await store.WriteAsync(
            transaction =>
            {
                Kernel? first = ready.Select(k => ledger.Take(transaction, k.Id, plan)).FirstOrDefault(static k => k is not null);
                if (first is not null)
                {
                    alsoStore?.Invoke(transaction, first);
                }

                return first;
            },
            cancellationToken
        );
        if (taken is not null && _waiting.TryRemove(taken.Id.Value, out _))
        {
            Want(plan.SpecName);
        }

        return taken;
    }

    private void Keep(LiveKernel kernel)
    {
        _waiting[kernel.Id.Value] = kernel;
        _ = ForgetWhenEndedAsync(kernel);
    }

    private async Task ForgetWhenEndedAsync(LiveKernel kernel)
    {
        await kernel.Ended;
        if (_waiting.TryRemove(kernel.Id.Value, out _))
        {
            Want(kernel.SpecName);
        }
    }

    private void Want(string specName) => Signal(specName, fresh: true).TrySetResult();

    private TaskCompletionSource Signal(string specName, bool fresh)
    {
        var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource? before = null;
        _wanting.AddOrUpdate(
            specName,
            next,
            (_, current) =>
            {
                before = current;
                return fresh ? next : current;
            }
        );
        return before ?? next;
    }

    private async Task FillAsync(string specName, int count)
    {
        TimeSpan delay = TimeSpan.FromSeconds(1);
        try
        {
            while (true)
            {
                Task wanted = Signal(specName, fresh: false).Task;
                if (_waiting.Values.Count(k => k.SpecName == specName) >= count)
                {
                    await wanted.WaitAsync(_stopping.Token);
                    continue;
                }

                if (await TryStartAsync(specName))
                {
                    delay = TimeSpan.FromSeconds(1);
                }
                else
                {
                    await Task.Delay(delay, time, _stopping.Token);
                    delay = delay * 2 < FailureDelayMax ? delay * 2 : FailureDelayMax;
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The next server takes them over.
        }
    }

    private async Task<bool> TryStartAsync(string specName)
    {
        try
        {
            KernelSpec spec = KernelSpecs.Require(specName);
            var plan = KernelPlan.For(spec, root, options) with { IsWarm = true };
            (Kernel kernel, Attempt attempt) = await store.WriteAsync(
                transaction => ledger.Add(transaction, KernelId.New(), plan),
                _stopping.Token
            );
            LiveKernel started = live.Launch(kernel, attempt, spec, []);
            Keep(started);
            await started.Ready.WaitAsync(_stopping.Token);
            return true;
        }
        catch (Exception e) when (e is RefusedException or StoreException)
        {
            Log.NotWarmed(logger, specName, e);
            return false;
        }
    }

    private async Task StopAsync(LiveKernel kernel)
    {
        try
        {
            await stop.RunAsync(kernel.Id, _stopping.Token);
        }
        catch (Exception e) when (e is RefusedException or LinkRefusedException or OperationCanceledException)
        {
            if (!_stopping.IsCancellationRequested)
            {
                Log.NotWarmed(logger, kernel.SpecName, e); // The next start tries again.
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.KernelNotWarmed,
            LogLevel.Warning,
            "A warm kernel of '{SpecName}' could not be started or ended; it is tried again."
        )]
        public static partial void NotWarmed(ILogger logger, string specName, Exception exception);
    }
}
