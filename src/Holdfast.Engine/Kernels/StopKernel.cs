using Holdfast.Engine.Store;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Ends a kernel: shutdown_request, TERM, KILL, with a grace between; waits until it has ended and its cells are accounted for. Stopping one that has ended is no error.
/// Errors: kernel-not-found, supervisor-unreachable.
/// </summary>
public sealed class StopKernel(StateStore store, LiveKernels live, KernelOptions options)
{
    public async Task<Kernel> RunAsync(KernelId id, CancellationToken cancellationToken)
    {
        if (live.TryGet(id, out LiveKernel? kernel))
        {
            kernel.IsStopRequested = true;
            try
            {
                await kernel.AskAsync(
                    new LinkMessage { Type = LinkMessageType.Stop, Cause = KernelStop.Cause, GraceMs = (long)options.StopGrace.TotalMilliseconds }, cancellationToken);
            }
            catch (RefusedException) when (kernel.Ended.IsCompleted)
            {
                // It ended by itself in the meantime.
            }

            await kernel.Ended.WaitAsync(cancellationToken);
        }

        return store.Read(reader => KernelsTable.Find(reader, id)) ?? throw KernelId.NotFound(id.Value);
    }
}
