using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Kernels;

/// <summary>The only writer of kernels: each change is stored together with its event and the end of the incarnation it ends.</summary>
public sealed class KernelLedger(ExecutionLedger executions, FeedLog feed, string host, TimeProvider time)
{
    /// <summary>A new kernel with its first incarnation.</summary>
    public (Kernel Kernel, Attempt Attempt) Add(StoreTransaction transaction, KernelId id, string specName, string workingDirectory)
    {
        Attempt attempt = executions.NewAttempt(transaction, null, id.Value);
        long now = time.NowMicroseconds();
        var kernel = new Kernel(id, specName, KernelState.Starting, attempt.Id, workingDirectory, now) { LastActivityAt = now };
        KernelsTable.Insert(transaction, kernel, host);
        Announce(transaction, kernel);
        return (kernel, attempt);
    }

    /// <summary>Another incarnation in the place of one that never started: no restart, as nothing had begun.</summary>
    public (Kernel Kernel, Attempt Attempt) Replace(StoreTransaction transaction, Kernel kernel)
    {
        Attempt attempt = executions.NewAttempt(transaction, null, kernel.Id.Value);
        return (Save(transaction, kernel with { State = KernelState.Starting, AttemptId = attempt.Id }), attempt);
    }

    /// <summary>The next incarnation of a kernel that has none.</summary>
    public (Kernel Kernel, Attempt Attempt) Renew(StoreTransaction transaction, Kernel kernel)
    {
        Attempt attempt = executions.NewAttempt(transaction, null, kernel.Id.Value);
        return (Save(transaction, kernel with { State = KernelState.Starting, AttemptId = attempt.Id, Reason = null, Restarts = kernel.Restarts + 1 }), attempt);
    }

    /// <summary>The kernel answered: it can be talked to. Null when the news is about an incarnation that is over.</summary>
    public Kernel? Ready(StoreTransaction transaction, KernelId id, AttemptId attempt) =>
        KernelsTable.Find(transaction, id) is { State: KernelState.Starting } kernel && kernel.AttemptId == attempt
            ? Save(transaction, kernel with { State = KernelState.Running })
            : null;

    /// <summary>The incarnation is over.</summary>
    public Kernel? End(StoreTransaction transaction, KernelId id, AttemptId attempt, KernelState state, string reason)
    {
        long now = time.NowMicroseconds();
        AttemptsTable.End(transaction, attempt, state.Name(), now);
        return KernelsTable.Find(transaction, id) is { } kernel && kernel.AttemptId == attempt
            ? Save(transaction, kernel with { State = state, AttemptId = null, Reason = reason, LastActivityAt = now })
            : null;
    }

    private Kernel Save(StoreTransaction transaction, Kernel kernel)
    {
        KernelsTable.Update(transaction, kernel);
        Announce(transaction, kernel);
        return kernel;
    }

    private void Announce(StoreTransaction transaction, Kernel kernel) =>
        feed.Append(transaction, "kernel." + kernel.State.Name(), kernel.Id.Value, writer =>
        {
            writer.WriteString("id", kernel.Id.Value);
            writer.WriteString("name", kernel.SpecName);
            writer.WriteString("state", kernel.State.Name());
            if (kernel.Reason is { } reason)
            {
                writer.WriteString("reason", reason);
            }
        });
}
