using Holdfast.Engine.Store;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Ends a kernel: shutdown_request, TERM, KILL, with a grace between; waits until it has ended and its cells are accounted for. One that
/// waits for its restart does not get it. Stopping one that has ended is no error.
/// Errors: kernel-not-found, supervisor-unreachable.
/// </summary>
public sealed class StopKernel(StateStore store, KernelLedger ledger, LiveKernels live, KernelOptions options)
{
    public Task<Kernel> RunAsync(KernelId id, CancellationToken cancellationToken)
    {
        Actor.Does(nameof(StopKernel), id.Value);
        return RunAsync(id, KernelStop.Cause, null, cancellationToken);
    }

    /// <summary>The same; and one that has died is then not shown as there any more, as Jupyter means by stopping.</summary>
    public async Task<Kernel> DismissAsync(KernelId id, CancellationToken cancellationToken)
    {
        Kernel stopped = await RunAsync(id, cancellationToken);
        return stopped.State != KernelState.Dead
            ? stopped
            : await store.WriteAsync(
                transaction => ledger.Lay(transaction, id, $"It had died, and was then stopped on request. {stopped.Reason}"),
                cancellationToken
            ) ?? stopped;
    }

    /// <param name="cause">For the exit record, where a later server finds it.</param>
    /// <param name="reason">What is stored; null for the sentence of the cause.</param>
    internal async Task<Kernel> RunAsync(KernelId id, string cause, string? reason, CancellationToken cancellationToken)
    {
        // Twice: the kernel may have died by itself meanwhile, and even be back already.
        for (int round = 0; round < 2; round++)
        {
            if (live.TryGet(id, out LiveKernel? kernel))
            {
                await EndAsync(kernel, cause, reason, cancellationToken);
            }

            Kernel found = store.Read(reader => KernelsTable.Find(reader, id)) ?? throw KernelId.NotFound(id.Value);
            if (cause == KernelStop.Restarted || found.State != KernelState.Restarting)
            {
                return found;
            }

            if (
                await store.WriteAsync(transaction => ledger.Lay(transaction, id, reason ?? KernelStop.Reason(cause)), cancellationToken) is
                { } laid
            )
            {
                return laid;
            }
        }

        return store.Read(reader => KernelsTable.Find(reader, id)) ?? throw KernelId.NotFound(id.Value);
    }

    private async Task EndAsync(LiveKernel kernel, string cause, string? reason, CancellationToken cancellationToken)
    {
        kernel.StopReason ??= reason;
        kernel.IsRestartRequested |= cause == KernelStop.Restarted;
        kernel.IsStopRequested |= cause != KernelStop.Restarted;
        try
        {
            await kernel.AskAsync(
                new LinkMessage
                {
                    Type = LinkMessageType.Stop,
                    Cause = cause,
                    GraceMs = (long)options.StopGrace.TotalMilliseconds,
                },
                cancellationToken
            );
        }
        catch (RefusedException) when (kernel.Ended.IsCompleted)
        {
            // It ended by itself in the meantime.
        }

        await kernel.Ended.WaitAsync(cancellationToken);
    }
}
