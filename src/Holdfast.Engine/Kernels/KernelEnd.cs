using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// How an incarnation ended: stopped on request, stopped to be started again, or dead. Decided once, from its exit record and what was
/// asked for here.
/// </summary>
internal sealed record KernelEnd(string Reason, long At, KernelDeath? Death, bool IsRestarted, bool MayRestart)
{
    public bool IsStopped => Death is null;

    /// <param name="exit">Null when the supervisor is gone and left none.</param>
    public static KernelEnd Of(LiveKernel kernel, ExitRecord? exit, TimeProvider time)
    {
        long at = exit is null ? time.NowMicroseconds() : UnixTime.FromNanoseconds(exit.AtUnixNanoseconds);
        bool mayRestart = kernel.Live.Attempt.BootId == ProcessIdentity.BootIdNow;
        bool isRestarted = mayRestart && !kernel.IsStopRequested && (kernel.IsRestartRequested || exit?.Cause == KernelStop.Restarted);
        if (isRestarted || kernel.IsStopRequested || exit?.Cause is KernelStop.Cause or KernelStop.Culled or KernelStop.Restarted)
        {
            return new KernelEnd(kernel.StopReason ?? KernelStop.Reason(exit?.Cause), at, null, isRestarted, mayRestart);
        }

        string reason = exit?.Reason ?? kernel.LostReason ?? "How it ended is not known.";
        KernelDeath death = exit is null ? new KernelDeath(KernelDeath.Lost, null, null, reason, at) : KernelDeath.Of(exit);
        return new KernelEnd(reason, at, death, isRestarted, mayRestart);
    }

    /// <summary>Stores what becomes of the kernel.</summary>
    public Kernel? Save(StoreTransaction transaction, KernelLedger kernels, LiveKernel kernel) =>
        IsRestarted ? kernels.StopToRestart(transaction, kernel.Id, kernel.Live.Id, Reason)
        : Death is null ? kernels.Stop(transaction, kernel.Id, kernel.Live.Id, Reason)
        : kernels.Die(transaction, kernel.Id, kernel.Live.Id, Death, MayRestart);
}
