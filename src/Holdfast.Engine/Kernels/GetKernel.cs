using Holdfast.Engine.Store;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// A kernel with what only its own messages tell. Execution state is Jupyter's: starting, idle, busy, restarting, or dead.
/// </summary>
public sealed record KernelView(Kernel Kernel, string ExecutionState, bool IsResponsive, int? Pid, long LastActivityAt)
{
    /// <summary>How many clients are connected to it now.</summary>
    public int Connections { get; init; }

    /// <summary>What it asks its user, while nobody has answered.</summary>
    public PendingInput? PendingInput { get; init; }
}

/// <summary>
/// Reads kernels: the live ones, and the latest that ended; warm ones, which are nobody's yet, only on request. Errors: kernel-not-found.
/// </summary>
public sealed class GetKernel(StateStore store, LiveKernels live, TimeProvider time)
{
    private const int RecentMax = 200;

    /// <summary>How long one that died for good is shown to Jupyter's clients, who would offer it for ever.</summary>
    private static readonly TimeSpan DeadShownFor = TimeSpan.FromDays(1);

    public KernelView Run(KernelId id) => View(store.Read(reader => KernelsTable.Find(reader, id)) ?? throw KernelId.NotFound(id.Value));

    public IReadOnlyList<KernelView> List(bool withWarm = false) =>
        store.Read(reader => KernelsTable.Recent(reader, RecentMax, withWarm)).ConvertAll(View);

    /// <summary>
    /// Those that are there, as Jupyter means it: not stopped. One that died is, for a day, or until somebody stops or restarts it.
    /// </summary>
    public IReadOnlyList<KernelView> ListCurrent() =>
        store
            .Read(reader => KernelsTable.Current(reader, time.NowMicroseconds() - (DeadShownFor.Ticks / TimeSpan.TicksPerMicrosecond)))
            .ConvertAll(View);

    /// <summary>One of <see cref="ListCurrent"/>. Errors: kernel-not-found, also for one that was stopped.</summary>
    public KernelView RunCurrent(KernelId id) =>
        store.Read(reader => KernelsTable.Find(reader, id)) is { State: not KernelState.Stopped, IsWarm: false } kernel
            ? View(kernel)
            : throw KernelId.NotFound(id.Value);

    private KernelView View(Kernel kernel)
    {
        if (kernel.AttemptId is null || !live.TryGet(kernel.Id, out LiveKernel? found))
        {
            return new KernelView(
                kernel,
                kernel.State == KernelState.Restarting ? "restarting" : "dead",
                false,
                null,
                kernel.LastActivityAt
            );
        }

        string state = found.ExecutionState == "starting" && kernel.IsRevived ? "restarting" : found.ExecutionState;
        bool isResponsive = found.HasHeartbeat && found.Live.Health == Supervision.SupervisorHealth.Fresh;
        return new KernelView(kernel, state, isResponsive, found.Live.ChildPid, Math.Max(kernel.LastActivityAt, found.LastActivityAt))
        {
            Connections = found.Connections,
            PendingInput = found.PendingInput,
        };
    }
}
