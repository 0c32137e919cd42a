using Holdfast.Engine.Executions;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Kernels;

/// <summary>Passes what callers want of a cell on to its kernel.</summary>
public sealed class CellRunner(LiveKernels live) : IExecutionRunner
{
    /// <summary>
    /// Takes it out of the supervisor's queue. If it was sent already, interrupts it, and no other: at once when it is what the kernel
    /// runs, else when the kernel takes it up, since what waits inside a kernel cannot be taken back. What the kernel then says decides.
    /// </summary>
    public async Task CancelAsync(Execution execution, CancellationToken cancellationToken)
    {
        LiveKernel? kernel = live.All.FirstOrDefault(k => k.Live.Id == execution.AttemptId);
        if (kernel is null)
        {
            return; // It is over, and its outcome is on its way.
        }

        string messageId = execution.MessageId ?? execution.Id.Value;
        await kernel.AskAsync(new LinkMessage { Type = LinkMessageType.Dequeue, MessageId = messageId }, cancellationToken);
        if (execution.State == ExecutionState.Running || execution.MessageId is not null)
        {
            await kernel.AskAsync(new LinkMessage { Type = LinkMessageType.Interrupt, MessageId = messageId }, cancellationToken);
        }
    }

    public Task PauseAsync(Execution execution, CancellationToken cancellationToken) => throw NotForCells("paused");

    public Task ResumeAsync(Execution execution, CancellationToken cancellationToken) => throw NotForCells("resumed");

    public Task WriteStandardInputAsync(Execution execution, ReadOnlyMemory<byte> bytes, bool end, CancellationToken cancellationToken) =>
        throw NotForCells("given input");

    private static RefusedException NotForCells(string what) =>
        new(ErrorCodes.IllegalTransition, $"A cell cannot be {what}; only jobs can.");
}
