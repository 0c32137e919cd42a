using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Ends a kernel, if it lives, and starts a new incarnation under the same id; waits until it answers. Cells that ran or waited in the old one are over.
/// Errors: kernel-not-found, kernelspec-not-found, kernel-died, supervisor-unreachable.
/// </summary>
public sealed class RestartKernel(StateStore store, KernelLedger ledger, LiveKernels live, StopKernel stop)
{
    public async Task<Kernel> RunAsync(KernelId id, CancellationToken cancellationToken)
    {
        Kernel old = await stop.RunAsync(id, cancellationToken);
        Protocol.Jupyter.KernelSpec spec = KernelSpecs.Require(old.SpecName);
        (Kernel Kernel, Attempt Attempt)? next = await store.WriteAsync<(Kernel, Attempt)?>(
            transaction => KernelsTable.Find(transaction, id) switch
            {
                null => throw KernelId.NotFound(id.Value),
                { AttemptId: not null } => null, // Two asked at once, and the other was first: it is being restarted.
                { } kernel => ledger.Renew(transaction, kernel),
            },
            CancellationToken.None);
        LiveKernel started = next is { } renewed ? live.Launch(renewed.Kernel, renewed.Attempt, spec, []) : live.Get(id);
        await started.Ready.WaitAsync(cancellationToken);
        return store.Read(reader => KernelsTable.Find(reader, id))!;
    }
}
