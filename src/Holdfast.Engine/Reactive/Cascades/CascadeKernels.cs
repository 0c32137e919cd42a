using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>The kernel of a cascade: one that lives and is used again, or one of this spec, which is the known one's next incarnation where
/// that died.</summary>
internal readonly record struct CascadeKernel(KernelSpec? Spec, Kernel? Known, LiveKernel? Reused);

/// <summary>
/// Finds the kernel that a cascade runs in: the one asked for; else the one the notebook has, in its next incarnation if it died; else a
/// new one.
/// </summary>
internal sealed class CascadeKernels(
    StateStore store,
    LiveKernels kernels,
    KernelLedger ledger,
    KernelOptions options,
    string root,
    TimeProvider time
)
{
    private static readonly TimeSpan LinkTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Errors: kernelspec-not-found, kernel-not-found, kernel-not-running, supervisor-unreachable, not-supported.</summary>
    public async Task<CascadeKernel> ChooseAsync(string? wanted, string path, NotebookFile notebook, CancellationToken cancellationToken)
    {
        CascadeKernel chosen = Choose(wanted, path, notebook);
        if (chosen.Reused is { } reused)
        {
            await ThrowIfTooOldAsync(reused, cancellationToken);
        }

        return chosen;
    }

    /// <summary>It died, and is being started again at this very moment.</summary>
    public static bool IsRevived(StoreTransaction transaction, CascadeKernel chosen) =>
        chosen is { Reused: null, Known: { } known } && KernelsTable.Find(transaction, known.Id) is { AttemptId: not null };

    /// <summary>Stores what is to be launched, of one that is not used again.</summary>
    /// <param name="path">The notebook as it was asked for: a link's folder is where its user expects the kernel to work.</param>
    public (Kernel Kernel, Attempt Attempt) Start(StoreTransaction transaction, CascadeKernel chosen, string path)
    {
        if (
            chosen.Known is { } known
            && KernelsTable.Find(transaction, known.Id) is { AttemptId: null, State: KernelState.Dead or KernelState.Restarting } dead
        )
        {
            return ledger.Renew(transaction, dead);
        }

        KernelPlan plan = KernelPlan.For(chosen.Spec!, Path.GetDirectoryName(Path.GetFullPath(path, root))!, options);
        return ledger.Add(transaction, KernelId.New(), plan with { IsAutoRestarted = true });
    }

    private CascadeKernel Choose(string? wanted, string path, NotebookFile notebook)
    {
        if (wanted is not null && Guid.TryParseExact(wanted, "D", out _))
        {
            return new CascadeKernel(null, null, kernels.Get(new KernelId(wanted)));
        }

        Kernel? known = store.Read(reader =>
            (SessionKernels.Find(reader, path, root) ?? ReactiveKernelsTable.Of(reader, path)) is { } id
                ? KernelsTable.Find(reader, id)
                : null
        );
        string name = wanted ?? known?.SpecName ?? notebook.KernelName ?? StartKernel.DefaultSpec;
        if (known is not null && known.SpecName == name && known.State != KernelState.Stopped)
        {
            if (kernels.TryGet(known.Id, out LiveKernel? live) && live.EndState is null)
            {
                return new CascadeKernel(null, null, live);
            }

            return new CascadeKernel(KernelSpecs.Require(name), known, null);
        }

        return new CascadeKernel(KernelSpecs.Require(wanted ?? notebook.KernelName ?? StartKernel.DefaultSpec), null, null);
    }

    /// <summary>A supervisor of an older version would not understand what a cell needs, and run one whose upstream failed.</summary>
    private async Task ThrowIfTooOldAsync(LiveKernel kernel, CancellationToken cancellationToken)
    {
        SupervisorLink link;
        try
        {
            link = await kernel.Live.Link.WaitAsync(LinkTimeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Just started on a machine that is busy, or stopped: nothing is known against it.
            throw new RefusedException(
                ErrorCodes.SupervisorUnreachable,
                $"The supervisor of kernel {kernel.Id} does not answer now. The kernel is not harmed; try again."
            );
        }

        if (link.Welcome.Capabilities?.Contains(LinkCapabilities.After) != true)
        {
            throw new RefusedException(
                ErrorCodes.NotSupported,
                $"Kernel {kernel.Id} was started by an older version of Holdfast, which knows no cascades. Restart the kernel."
            );
        }
    }
}
