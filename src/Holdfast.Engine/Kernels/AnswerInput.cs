using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Answers what a kernel asks its user, in the place of the client that runs the cell. The first answer counts, whoever gives it; an answer
/// to a password prompt is kept nowhere.
/// Errors: kernel-not-found, kernel-not-running, input-not-requested, supervisor-unreachable.
/// </summary>
public sealed class AnswerInput(LiveKernels live, TimeProvider time)
{
    public async Task<PendingInput> RunAsync(KernelId id, string value, CancellationToken cancellationToken)
    {
        Actor.Does(nameof(AnswerInput), id.Value);
        LiveKernel kernel = live.Get(id);
        PendingInput pending =
            kernel.PendingInput
            ?? throw new RefusedException(
                ErrorCodes.InputNotRequested,
                "The kernel asks for no input now: somebody has answered it, or it was interrupted."
            );
        JupyterHeader header = JupyterHeader.Create(
            "input_reply",
            Ulid.New(time),
            kernel.Live.Id.Value,
            Environment.UserName,
            time.GetUtcNow()
        );
        await kernel.SendAsync(
            KernelChannel.Stdin,
            JupyterEnvelope.Build(header, JupyterEnvelope.InputContent(value), parent: pending.HeaderJson),
            cancellationToken
        );
        return pending;
    }
}
