using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Interrupts what a kernel is running, as its kernelspec asks for it: SIGINT to its process group, or interrupt_request.
/// Errors: kernel-not-found, kernel-not-running, supervisor-unreachable.
/// </summary>
public sealed class InterruptKernel(LiveKernels live)
{
    public Task RunAsync(KernelId id, CancellationToken cancellationToken) =>
        live.Get(id).AskAsync(new LinkMessage { Type = LinkMessageType.Interrupt }, cancellationToken);
}
