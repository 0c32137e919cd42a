using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels.Clients;

/// <summary>
/// Sends a client's message to a kernel, past the queue of notebook runs, when the kernel is ready for it. The body is a multipart of unsigned frames.
/// Errors: kernel-not-found, kernel-not-running, kernel-died, input-not-requested, supervisor-unreachable.
/// </summary>
public sealed class SendToKernel(LiveKernels kernels)
{
    public async Task RunAsync(KernelId kernel, KernelChannel channel, ReadOnlyMemory<byte> multipart, CancellationToken cancellationToken)
    {
        LiveKernel live = kernels.Get(kernel);
        if (!live.IsReady)
        {
            await live.Ready.WaitAsync(cancellationToken);
        }

        await live.SendAsync(channel, multipart, cancellationToken);
    }
}
