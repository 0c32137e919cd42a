using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Interrupts what a kernel is running, as its kernelspec asks for it: SIGINT to its process group, or interrupt_request. One that is still
/// starting runs nothing: it is left in peace, since a signal would end many a kernel that has no handler for it yet.
/// Errors: kernel-not-found, kernel-not-running, supervisor-unreachable.
/// </summary>
public sealed class InterruptKernel(LiveKernels live)
{
    public async Task RunAsync(KernelId id, CancellationToken cancellationToken)
    {
        Actor.Does(nameof(InterruptKernel), id.Value);
        LiveKernel kernel = live.Get(id);
        bool isStarting = !kernel.IsReady; // Asked first: it may be ready a moment after it was refused.
        try
        {
            await kernel.AskAsync(new LinkMessage { Type = LinkMessageType.Interrupt }, cancellationToken);
        }
        catch (LinkRefusedException e) when (e.Code == LinkCodes.NotRunning)
        {
            if (!isStarting || kernel.Live.IsEnded)
            {
                throw new RefusedException(ErrorCodes.KernelNotRunning, e.Message);
            }
        }
    }
}
