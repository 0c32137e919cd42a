using Holdfast.Engine.Access;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Locks;

/// <summary>What was released: from whom, and the fence that is old now.</summary>
public sealed record ReleasedLock(string Name, ExecutionId Holder, long Fence, string Reason);

/// <summary>
/// Takes a lock from its holder by a person's hand, with a reason that is kept in the feed. The holder is not stopped: whoever releases
/// knows that it may still run. The next in line is told in the same transaction.
/// Errors: invalid-request, lock-not-held.
/// </summary>
public sealed class ReleaseLock(StateStore store, ExecutionLedger ledger, TimeProvider time)
{
    public async Task<ReleasedLock> RunAsync(string? name, string? reason, CancellationToken cancellationToken)
    {
        LockNames.Check(name);
        if (string.IsNullOrWhiteSpace(reason) || reason.Length > LockLimits.ReasonLengthMax)
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"reason must say why, in 1 to {LockLimits.ReasonLengthMax} characters: the lock is taken from work that may still run."
            );
        }

        return await store.WriteAsync(
                transaction =>
                {
                    ReleasedLock? released = ledger.ReleaseLock(transaction, name!, reason);
                    if (released is not null)
                    {
                        AuditTable.Record(transaction, time.NowMicroseconds(), nameof(ReleaseLock), released.Name, reason);
                    }

                    return released;
                },
                cancellationToken
            )
            ?? throw new RefusedException(
                ErrorCodes.LockNotHeld,
                $"Nobody holds the lock '{name}'. GET /v1/locks lists those that are held or waited for."
            );
    }
}
