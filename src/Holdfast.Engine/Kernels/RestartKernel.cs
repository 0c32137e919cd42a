using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;
using Holdfast.Protocol;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Ends a kernel, if it lives, and starts a new incarnation under the same id; waits until it answers. Cells that ran or waited in the old
/// one are over. Between the two it is restarting, which is stored, so that it is neither missing from a list nor left without a process
/// when the server dies.
/// Errors: kernel-not-found, kernelspec-not-found, kernel-died, supervisor-unreachable.
/// </summary>
public sealed class RestartKernel(StateStore store, KernelLedger ledger, LiveKernels live, StopKernel stop)
{
    public async Task<Kernel> RunAsync(KernelId id, CancellationToken cancellationToken)
    {
        LiveKernel started = await LaunchAsync(id, cancellationToken);
        await started.Ready.WaitAsync(cancellationToken);
        return store.Read(reader => KernelsTable.Find(reader, id))!;
    }

    /// <summary>The same without the wait for the new incarnation to answer.</summary>
    public Task BeginAsync(KernelId id, CancellationToken cancellationToken) => LaunchAsync(id, cancellationToken);

    private async Task<LiveKernel> LaunchAsync(KernelId id, CancellationToken cancellationToken)
    {
        Actor.Does(nameof(RestartKernel), id.Value);
        Kernel old = store.Read(reader => KernelsTable.Find(reader, id)) ?? throw KernelId.NotFound(id.Value);
        Protocol.Jupyter.KernelSpec spec = KernelSpecs.Require(old.SpecName); // Before anything is ended for it.
        await stop.RunAsync(id, KernelStop.Restarted, null, cancellationToken);
        CrashPoints.Reach(CrashPoint.ServerKernelStoppedToRestart);
        (Kernel Kernel, Attempt Attempt)? next = await store.WriteAsync<(Kernel, Attempt)?>(
            transaction =>
                KernelsTable.Find(transaction, id) switch
                {
                    null => throw KernelId.NotFound(id.Value),
                    { AttemptId: not null } => null, // Two asked at once, and the other was first: it is being restarted.
                    { } kernel => ledger.Renew(transaction, kernel),
                },
            CancellationToken.None
        );
        return next is { } renewed ? live.Launch(renewed.Kernel, renewed.Attempt, spec, []) : live.Get(id);
    }
}
