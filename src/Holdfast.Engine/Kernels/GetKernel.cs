using Holdfast.Engine.Store;

namespace Holdfast.Engine.Kernels;

/// <summary>A kernel with what only its own messages tell. Execution state is Jupyter's: starting, idle, busy, or dead.</summary>
public sealed record KernelView(Kernel Kernel, string ExecutionState, bool IsResponsive, int? Pid, long LastActivityAt);

/// <summary>Reads kernels: the live ones, and the latest that ended. Errors: kernel-not-found.</summary>
public sealed class GetKernel(StateStore store, LiveKernels live)
{
    private const int RecentMax = 200;

    public KernelView Run(KernelId id) => View(store.Read(reader => KernelsTable.Find(reader, id)) ?? throw KernelId.NotFound(id.Value));

    public IReadOnlyList<KernelView> List() => store.Read(reader => KernelsTable.Recent(reader, RecentMax)).ConvertAll(View);

    private KernelView View(Kernel kernel)
    {
        if (kernel.AttemptId is null || !live.TryGet(kernel.Id, out LiveKernel? found))
        {
            return new KernelView(kernel, "dead", false, null, kernel.LastActivityAt);
        }

        bool isResponsive = found.HasHeartbeat && found.Live.Health == Supervision.SupervisorHealth.Fresh;
        return new KernelView(kernel, found.ExecutionState, isResponsive, found.Live.ChildPid, Math.Max(kernel.LastActivityAt, found.LastActivityAt));
    }
}
