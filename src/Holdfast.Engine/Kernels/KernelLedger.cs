using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Kernels;

/// <summary>The only writer of kernels: each change is stored together with its event and the end of the incarnation it ends.</summary>
public sealed class KernelLedger(ExecutionLedger executions, FeedLog feed, RestartPolicy policy, string host, TimeProvider time)
{
    private static readonly TimeSpan RestartPatience = TimeSpan.FromSeconds(3);

    /// <summary>
    /// A kernel died and will be started again when its time has come. Raised after the commit that says so, one at a time.
    /// </summary>
    public event Action<Kernel>? RestartDecided;

    /// <summary>
    /// What else follows from the end of an incarnation, in the transaction that stores it; and whether it died. Set once, before anything
    /// is written.
    /// </summary>
    public Action<StoreTransaction, Kernel, bool>? IncarnationEnded { get; set; }

    /// <summary>A new kernel with its first incarnation.</summary>
    public (Kernel Kernel, Attempt Attempt) Add(StoreTransaction transaction, KernelId id, KernelPlan plan)
    {
        Attempt attempt = executions.NewAttempt(transaction, null, id.Value);
        long now = time.NowMicroseconds();
        var kernel = new Kernel(id, plan.SpecName, KernelState.Starting, attempt.Id, plan.WorkingDirectory, now)
        {
            LastActivityAt = now,
            Environment = plan.Environment,
            MemoryBytesMax = plan.MemoryBytesMax,
            CpuMillisMax = plan.CpuMillisMax,
            IsAutoRestarted = plan.IsAutoRestarted,
            IsWarm = plan.IsWarm,
        };
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

    /// <summary>The next incarnation of a kernel that has none, because somebody asked: what it died of before counts no more.</summary>
    public (Kernel Kernel, Attempt Attempt) Renew(StoreTransaction transaction, Kernel kernel)
    {
        KernelDeathsTable.Clear(transaction, kernel.Id);
        return Renew(transaction, kernel, isRevived: false);
    }

    /// <summary>
    /// The next incarnation of a kernel that died, as it was when that was decided; null when it is no longer waiting for it, or waits for
    /// a later time since another death.
    /// </summary>
    public (Kernel Kernel, Attempt Attempt)? Revive(StoreTransaction transaction, Kernel dead) =>
        FindWaiting(transaction, dead) is { } kernel ? Renew(transaction, kernel, isRevived: true) : null;

    /// <summary>Somebody asked for the end of a kernel that has no process now; null when there is nothing to end.</summary>
    public Kernel? Lay(StoreTransaction transaction, KernelId id, string reason) =>
        KernelsTable.Find(transaction, id) is { AttemptId: null, State: KernelState.Restarting or KernelState.Dead } kernel
            ? Save(transaction, kernel with { State = KernelState.Stopped, RestartDueAt = null, Reason = reason })
            : null;

    /// <summary>A kernel that waits for its restart cannot have it.</summary>
    public Kernel? GiveUp(StoreTransaction transaction, Kernel dead, string reason) =>
        FindWaiting(transaction, dead) is { } kernel
            ? Save(
                transaction,
                kernel with
                {
                    State = KernelState.Dead,
                    RestartDueAt = null,
                    Reason = $"{reason} {kernel.Reason}".TrimEnd(),
                }
            )
            : null;

    private static Kernel? FindWaiting(StoreTransaction transaction, Kernel dead) =>
        KernelsTable.Find(transaction, dead.Id) is { State: KernelState.Restarting } kernel && kernel.RestartDueAt == dead.RestartDueAt
            ? kernel
            : null;

    /// <summary>
    /// A warm kernel becomes somebody's: from now on it is like any other that was started this moment. Null when it is not to be had any
    /// more.
    /// </summary>
    public Kernel? Take(StoreTransaction transaction, KernelId id, KernelPlan plan)
    {
        if (
            KernelsTable.Find(transaction, id) is not { IsWarm: true, State: KernelState.Running } kernel
            || kernel.SpecName != plan.SpecName
            || kernel.WorkingDirectory != plan.WorkingDirectory
            || kernel.MemoryBytesMax != plan.MemoryBytesMax
            || kernel.CpuMillisMax != plan.CpuMillisMax
        )
        {
            return null;
        }

        long now = time.NowMicroseconds();
        return Save(
            transaction,
            kernel with
            {
                IsWarm = false,
                IsAutoRestarted = plan.IsAutoRestarted,
                CreatedAt = now,
                LastActivityAt = now,
            }
        );
    }

    private (Kernel Kernel, Attempt Attempt) Renew(StoreTransaction transaction, Kernel kernel, bool isRevived)
    {
        Attempt attempt = executions.NewAttempt(transaction, null, kernel.Id.Value);
        return (
            Save(
                transaction,
                kernel with
                {
                    State = KernelState.Starting,
                    AttemptId = attempt.Id,
                    Reason = null,
                    Restarts = kernel.Restarts + 1,
                    IsRevived = isRevived,
                    RestartDueAt = null,
                }
            ),
            attempt
        );
    }

    /// <summary>The kernel answered: it can be talked to. Null when the news is about an incarnation that is over.</summary>
    public Kernel? Ready(StoreTransaction transaction, KernelId id, AttemptId attempt) =>
        KernelsTable.Find(transaction, id) is { State: KernelState.Starting } kernel && kernel.AttemptId == attempt
            ? Save(transaction, kernel with { State = KernelState.Running })
            : null;

    /// <summary>The incarnation is over because somebody asked.</summary>
    public Kernel? Stop(StoreTransaction transaction, KernelId id, AttemptId attempt, string reason)
    {
        long now = time.NowMicroseconds();
        AttemptsTable.End(transaction, attempt, KernelState.Stopped.Name(), now);
        return KernelsTable.Find(transaction, id) is { } kernel && kernel.AttemptId == attempt
            ? End(
                transaction,
                kernel with
                {
                    State = KernelState.Stopped,
                    AttemptId = null,
                    Reason = reason,
                    LastActivityAt = now,
                },
                isDeath: false
            )
            : null;
    }

    /// <summary>
    /// The incarnation is over because somebody wants another. Whoever asked goes on at once; the time set is for the case that he cannot:
    /// then it is started again like one that died.
    /// </summary>
    public Kernel? StopToRestart(StoreTransaction transaction, KernelId id, AttemptId attempt, string reason)
    {
        long now = time.NowMicroseconds();
        AttemptsTable.End(transaction, attempt, KernelState.Stopped.Name(), now);
        if (KernelsTable.Find(transaction, id) is not { } kernel || kernel.AttemptId != attempt)
        {
            return null;
        }

        KernelDeathsTable.Clear(transaction, id);
        Kernel restarting = End(
            transaction,
            kernel with
            {
                State = KernelState.Restarting,
                AttemptId = null,
                Reason = reason,
                LastActivityAt = now,
                RestartDueAt = now + (RestartPatience.Ticks / TimeSpan.TicksPerMicrosecond),
            },
            isDeath: false
        );
        transaction.OnCommitted(() => RestartDecided?.Invoke(restarting));
        return restarting;
    }

    /// <summary>
    /// The incarnation is over, and nobody asked. A kernel that was up, or that was being brought back, is started again as the policy
    /// says; one that died at its first start is not, since whoever starts it is told. What happened with the machine
    /// (<paramref name="mayRestart"/> false) is no fault of the kernel, and no reason to start everything that ever ran.
    /// </summary>
    public Kernel? Die(StoreTransaction transaction, KernelId id, AttemptId attempt, KernelDeath death, bool mayRestart)
    {
        long now = time.NowMicroseconds();
        AttemptsTable.End(transaction, attempt, KernelState.Dead.Name(), now);
        if (KernelsTable.Find(transaction, id) is not { } kernel || kernel.AttemptId != attempt)
        {
            return null;
        }

        kernel = kernel with { AttemptId = null, LastActivityAt = now, LastDeath = death };
        if (!mayRestart || !kernel.IsAutoRestarted || kernel.IsWarm || !(kernel.State == KernelState.Running || kernel.IsRevived))
        {
            return End(transaction, kernel with { State = KernelState.Dead, Reason = death.Reason }, isDeath: true);
        }

        KernelDeathsTable.Insert(transaction, id, attempt, death, now);
        RestartDecision decision = policy.Decide(
            KernelDeathsTable.Since(transaction, id, now - (policy.Window.Ticks / TimeSpan.TicksPerMicrosecond))
        );
        if (decision.Delay is not { } delay)
        {
            return End(transaction, kernel with { State = KernelState.Dead, Reason = decision.Reason }, isDeath: true);
        }

        Kernel restarting = End(
            transaction,
            kernel with
            {
                State = KernelState.Restarting,
                Reason = decision.Reason,
                RestartDueAt = now + (delay.Ticks / TimeSpan.TicksPerMicrosecond),
            },
            isDeath: true
        );
        transaction.OnCommitted(() => RestartDecided?.Invoke(restarting));
        return restarting;
    }

    private Kernel End(StoreTransaction transaction, Kernel kernel, bool isDeath)
    {
        Kernel ended = Save(transaction, kernel);
        IncarnationEnded?.Invoke(transaction, ended, isDeath);
        return ended;
    }

    private Kernel Save(StoreTransaction transaction, Kernel kernel)
    {
        if (kernel is { IsWarm: true, AttemptId: null })
        {
            KernelsTable.Delete(transaction, kernel.Id); // It was never anybody's.
            return kernel;
        }

        KernelsTable.Update(transaction, kernel);
        Announce(transaction, kernel);
        return kernel;
    }

    private void Announce(StoreTransaction transaction, Kernel kernel)
    {
        if (kernel.IsWarm)
        {
            return;
        }

        feed.Append(
            transaction,
            "kernel." + kernel.State.Name(),
            kernel.Id.Value,
            writer =>
            {
                writer.WriteString("id", kernel.Id.Value);
                writer.WriteString("name", kernel.SpecName);
                writer.WriteString("state", kernel.State.Name());
                if (kernel.Reason is { } reason)
                {
                    writer.WriteString("reason", reason);
                }

                if (kernel.State is KernelState.Dead or KernelState.Restarting && kernel.LastDeath is { } death)
                {
                    writer.WriteStartObject("death");
                    death.WriteFields(writer);
                    writer.WriteEndObject();
                }

                if (kernel.RestartDueAt is { } due)
                {
                    writer.WriteString("restartDueAt", UnixTime.FromMicroseconds(due));
                }
            }
        );
    }
}
