using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Recovery;

/// <summary>What came of a repair: the phases that ran, or the verdict on one attempt.</summary>
public sealed record RepairResult(IReadOnlyList<RecoveryPhase> Phases, RecoveredAttempt? Attempt);

/// <summary>
/// Runs a phase of recovery again, or judges one attempt again that could not be judged, while the server runs. An attempt that was
/// quarantined by hand is taken out of it.
/// Errors: invalid-request, recovery-item-not-found, recovery-item-alive.
/// </summary>
public sealed class RetryRecovery
{
    private readonly StateStore _store;
    private readonly FeedLog _feed;
    private readonly Recover _recover;
    private readonly AttemptRecovery _attempts;

    internal RetryRecovery(StateStore store, FeedLog feed, Recover recover, AttemptRecovery attempts) =>
        (_store, _feed, _recover, _attempts) = (store, feed, recover, attempts);

    /// <param name="target">The name of a phase, or the id of an attempt, an execution or a kernel.</param>
    public async Task<RepairResult> RunAsync(string? target, string? reason, CancellationToken cancellationToken)
    {
        string why = string.IsNullOrWhiteSpace(reason) ? "It was asked for." : RecoveryItems.Reason(reason);
        if (_recover.Plan.Find(target ?? "") is { } phase)
        {
            if (!phase.IsRepeatable)
            {
                throw new RefusedException(
                    ErrorCodes.InvalidRequest,
                    $"The phase '{phase.Name}' is done once, at the start of the server; stop the server and start it again."
                );
            }

            await _store.WriteAsync(
                transaction => RecoveryItems.Announce(_feed, transaction, "recovery.retried", nameof(RetryRecovery), phase.Name, why),
                cancellationToken
            );
            return new RepairResult(await _recover.RepeatAsync(phase, CancellationToken.None), null);
        }

        Attempt attempt = RecoveryItems.Find(_store, _attempts, target);
        await _store.WriteAsync(
            transaction =>
            {
                QuarantineTable.Remove(transaction, attempt.Id);
                RecoveryItems.Announce(_feed, transaction, "recovery.retried", nameof(RetryRecovery), attempt.Id.Value, why);
            },
            cancellationToken
        );
        return new RepairResult([], await _attempts.RecoverOneAsync(attempt, null, CancellationToken.None));
    }
}
