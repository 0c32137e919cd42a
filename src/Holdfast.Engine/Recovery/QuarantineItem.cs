using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Recovery;

/// <summary>
/// Sets an attempt that could not be judged aside for good, with a reason: start-ups leave it alone, and its row open, until
/// <see cref="RetryRecovery"/> takes it out or <see cref="MarkLost"/> closes it.
/// Errors: invalid-request, recovery-item-not-found, recovery-item-alive.
/// </summary>
public sealed class QuarantineItem
{
    private readonly StateStore _store;
    private readonly FeedLog _feed;
    private readonly AttemptRecovery _attempts;
    private readonly TimeProvider _time;

    internal QuarantineItem(StateStore store, FeedLog feed, AttemptRecovery attempts, TimeProvider time) =>
        (_store, _feed, _attempts, _time) = (store, feed, attempts, time);

    public async Task<RepairResult> RunAsync(string? item, string? reason, CancellationToken cancellationToken)
    {
        string why = RecoveryItems.Reason(reason);
        Attempt attempt = RecoveryItems.Find(_store, _attempts, item);
        await _store.WriteAsync(
            transaction =>
            {
                QuarantineTable.Put(transaction, attempt.Id, why, _time.NowMicroseconds());
                RecoveryItems.Announce(_feed, transaction, "recovery.quarantined", nameof(QuarantineItem), attempt.Id.Value, why);
            },
            cancellationToken
        );
        _attempts.SetAside(attempt, why);
        return new RepairResult(
            [],
            new RecoveredAttempt(attempt.Id.Value, attempt.ExecutionId?.Value, attempt.KernelId, "quarantined", why)
        );
    }
}
