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
        (Kernel kernel, Attempt attempt) = await store.WriteAsync(
            transaction => ledger.Renew(transaction, KernelsTable.Find(transaction, id) ?? throw KernelId.NotFound(id.Value)), CancellationToken.None);
        await live.Launch(kernel, attempt, spec, []).Ready.WaitAsync(cancellationToken);
        return store.Read(reader => KernelsTable.Find(reader, id))!;
    }
}
