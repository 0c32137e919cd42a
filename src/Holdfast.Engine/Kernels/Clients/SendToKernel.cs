using Holdfast.Engine.Store;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels.Clients;

/// <summary>
/// Sends a client's message to a kernel, past the queue of notebook runs, when the kernel is ready for it; one that is being restarted gets
/// it afterwards, as a ZeroMQ socket would have it. The body is a multipart of unsigned frames. Errors: kernel-not-found,
/// kernel-not-running, kernel-died, input-not-requested, supervisor-unreachable.
/// </summary>
public sealed class SendToKernel(LiveKernels kernels, StateStore store)
{
    public async Task RunAsync(KernelId kernel, KernelChannel channel, ReadOnlyMemory<byte> multipart, CancellationToken cancellationToken)
    {
        while (true)
        {
            LiveKernel live = await FindAsync(kernel, cancellationToken);
            try
            {
                if (!live.IsReady)
                {
                    await live.Ready.WaitAsync(cancellationToken);
                }

                await live.SendAsync(channel, multipart, cancellationToken);
                return;
            }
            catch (RefusedException e) when (e.Code is ErrorCodes.KernelNotRunning or ErrorCodes.KernelDied)
            {
                // It died under the message, which it never got. What becomes of the kernel is known when its end is stored.
                await live.Ended.WaitAsync(cancellationToken);
                if (channel == KernelChannel.Stdin)
                {
                    throw; // The question died with it.
                }
            }
        }
    }

    /// <summary>The incarnation that lives, or the next one when one is promised.</summary>
    private async Task<LiveKernel> FindAsync(KernelId id, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed = kernels.Changed;
            if (kernels.TryGet(id, out LiveKernel? live) && !live.Ended.IsCompleted)
            {
                return live;
            }

            Kernel? kernel = store.Read(reader => KernelsTable.Find(reader, id));
            if (kernel is not { State: KernelState.Restarting or KernelState.Starting })
            {
                return kernels.Get(id);
            }

            await changed.WaitAsync(cancellationToken);
        }
    }
}
