using Holdfast.Engine.Access;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Recovery;

/// <summary>What the operations of repair have in common: which attempt a person means, and the reason that is kept.</summary>
internal static class RecoveryItems
{
    private const int ReasonLengthMax = 2000;

    /// <summary>
    /// The attempt that could not be judged and has this id, or whose execution or kernel has it. Refused: recovery-item-not-found,
    /// recovery-item-alive for one that the house looks after, which has its own verbs.
    /// </summary>
    public static Attempt Find(StateStore store, AttemptRecovery attempts, string? item)
    {
        if (string.IsNullOrWhiteSpace(item))
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, "item is missing: the id of an attempt, an execution or a kernel.");
        }

        if (attempts.Pending.FirstOrDefault(a => IsMeant(a, item)) is { } pending)
        {
            return pending;
        }

        throw store.Read(AttemptsTable.Open).Exists(a => IsMeant(a, item))
            ? new RefusedException(
                ErrorCodes.RecoveryItemAlive,
                $"'{item}' is in no doubt: its supervisor lives, and is looked after. To end its work: holdfast cancel, or holdfast kernels stop. Where it does not answer, holdfast supervisors says why."
            )
            : new RefusedException(
                ErrorCodes.RecoveryItemNotFound,
                $"Nothing by the id '{item}' waits to be repaired. 'holdfast recovery' lists what does, as quarantined."
            );
    }

    public static string Reason(string? reason) =>
        !string.IsNullOrWhiteSpace(reason) && reason.Length <= ReasonLengthMax
            ? reason
            : throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"reason must say why, in 1 to {ReasonLengthMax} characters; it is kept."
            );

    /// <summary>Who did what to which, and why, in the feed.</summary>
    public static void Announce(FeedLog feed, StoreTransaction transaction, string kind, string operation, string subject, string reason)
    {
        AuditTable.Record(transaction, feed.Now, operation, subject, reason);
        feed.Append(
            transaction,
            kind,
            subject,
            writer =>
            {
                writer.WriteString("item", subject);
                writer.WriteString("reason", reason);
            }
        );
    }

    private static bool IsMeant(Attempt attempt, string item) =>
        attempt.Id.Value == item || attempt.ExecutionId?.Value == item || attempt.KernelId == item;
}
