using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Recovery;

/// <summary>
/// Gives a kernel whose incarnation was committed and never started another one, with the runs and cells that were meant for it: they were
/// acknowledged, and not a line of them has run. All in one transaction, so that a crash leaves either the old incarnation, which is judged
/// again, or the new one.
/// </summary>
internal sealed class KernelRenewal(StateStore store, KernelLedger kernels, TimeProvider time)
{
    public Task<(Kernel Kernel, Attempt Attempt, List<Run> Runs)> RunAsync(
        Kernel kernel,
        Attempt neverStarted,
        List<Run> runs,
        CancellationToken cancellationToken
    ) =>
        store.WriteAsync(
            transaction =>
            {
                AttemptsTable.End(transaction, neverStarted.Id, "neverStarted", time.NowMicroseconds());
                (Kernel renewed, Attempt attempt) = kernels.Replace(transaction, kernel);
                RunsTable.Reassign(transaction, neverStarted.Id, attempt.Id);
                ExecutionsTable.Reassign(transaction, neverStarted.Id, attempt.Id);
                return (renewed, attempt, runs.ConvertAll(run => run with { AttemptId = attempt.Id }));
            },
            cancellationToken
        );
}
