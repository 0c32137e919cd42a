using Holdfast.Engine.Access;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Jobs;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;

namespace Holdfast.Engine.Stopping;

/// <summary>How many jobs and kernels were asked to end, and how many had not when the patience was over.</summary>
public sealed record EndedWork(int Jobs, int Kernels, int Left);

/// <summary>
/// Ends everything that runs, before a server is stopped for good: no further job is started, jobs are cancelled as by <c>cancel</c>,
/// kernels stopped. What is queued stays queued, for the next start.
/// </summary>
public sealed class EndWork
{
    /// <summary>Beyond the grace that jobs have between TERM and KILL.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly StateStore _store;
    private readonly JobDispatcher _dispatcher;
    private readonly LiveAttempts _live;
    private readonly LiveKernels _kernels;
    private readonly CancelExecution _cancel;
    private readonly StopKernel _stop;
    private readonly TimeProvider _time;

    internal EndWork(
        StateStore store,
        JobDispatcher dispatcher,
        LiveAttempts live,
        LiveKernels kernels,
        CancelExecution cancel,
        StopKernel stop,
        TimeProvider time
    ) => (_store, _dispatcher, _live, _kernels, _cancel, _stop, _time) = (store, dispatcher, live, kernels, cancel, stop, time);

    public async Task<EndedWork> RunAsync(CancellationToken cancellationToken)
    {
        _dispatcher.Hold();
        await _store.WriteAsync(
            transaction => AuditTable.Record(transaction, _time.NowMicroseconds(), nameof(EndWork), "server"),
            cancellationToken
        );
        Execution[] jobs = [.. _store.Read(ExecutionsTable.Active).Where(static e => e.Kind == ExecutionKind.Job)];
        LiveKernel[] kernels = [.. _kernels.All];
        Task[] asked =
        [
            .. jobs.Select(j => QuietlyAsync(_cancel.RunAsync(j.Id, cancellationToken))),
            .. kernels.Select(k => QuietlyAsync(_stop.RunAsync(k.Id, cancellationToken))),
        ];
        await Task.WhenAll(asked);
        Task[] ends = [.. _live.All.Select(EndAsync)];
        try
        {
            await Task.WhenAll(ends).WaitAsync(Patience, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Said in the answer; they live on, as after any stop.
        }

        return new EndedWork(jobs.Length, kernels.Length, _live.All.Count);
    }

    private static async Task EndAsync(LiveAttempt live)
    {
        while (!live.IsEnded)
        {
            await live.Growth;
        }
    }

    /// <summary>One that ended by itself meanwhile, or cannot be reached, does not keep the others from being asked.</summary>
    private static async Task QuietlyAsync(Task asked)
    {
        try
        {
            await asked;
        }
        catch (Exception e) when (e is RefusedException or LinkRefusedException or IOException)
        {
            // It is among those that are left, if it lives.
        }
    }
}
