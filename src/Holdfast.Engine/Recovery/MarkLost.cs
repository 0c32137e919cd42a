using System.Globalization;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Recovery;

/// <summary>
/// Calls an attempt lost by a person's word, when its folder cannot be judged: its execution becomes lost, its locks are released, and what
/// it left running under its own mark is ended. Not one whose supervisor holds its lock, or whose process is there though something else
/// lies in the place of the lock: that one lives, and would go on beside whatever takes its place; ending it is another verb.
/// Errors: invalid-request, recovery-item-not-found, recovery-item-alive.
/// </summary>
public sealed class MarkLost
{
    private readonly StateStore _store;
    private readonly FeedLog _feed;
    private readonly AttemptRecovery _attempts;
    private readonly AttemptFolders _folders;

    internal MarkLost(StateStore store, FeedLog feed, AttemptRecovery attempts, AttemptFolders folders) =>
        (_store, _feed, _attempts, _folders) = (store, feed, attempts, folders);

    public async Task<RepairResult> RunAsync(string? item, string? reason, CancellationToken cancellationToken)
    {
        string why = RecoveryItems.Reason(reason);
        Attempt attempt = RecoveryItems.Find(_store, _attempts, item);
        if (IsHeld(attempt.Id))
        {
            throw new RefusedException(
                ErrorCodes.RecoveryItemAlive,
                $"The supervisor of '{item}' holds its lock, so it lives. Make its folder readable and say: holdfast recovery retry {attempt.Id.Value}."
            );
        }

        var files = new AttemptFiles(_folders.Of(attempt.Id));
        if (
            AttemptVerdict.RecordOf(files.Supervisor, static json => SupervisorRecord.Read(json)) is { Process: var supervisor }
            && supervisor.IsAlive()
        )
        {
            throw new RefusedException(
                ErrorCodes.RecoveryItemAlive,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The supervisor of '{item}', pid {supervisor.Pid}, lives, and its work with it. Let it end, and say: holdfast recovery retry {attempt.Id.Value}. To end it now: kill {supervisor.Pid}, and then this again."
                )
            );
        }

        await _store.WriteAsync(
            transaction =>
            {
                QuarantineTable.Remove(transaction, attempt.Id);
                RecoveryItems.Announce(_feed, transaction, "recovery.markedLost", nameof(MarkLost), attempt.Id.Value, why);
            },
            cancellationToken
        );
        var verdict = new AttemptVerdict(AttemptFate.Lost, null, null, $"It was called lost by hand: {why}");
        return new RepairResult([], await _attempts.RecoverOneAsync(attempt, verdict, CancellationToken.None));
    }

    /// <summary>A lock that cannot even be looked at proves nothing: then the person knows better.</summary>
    private bool IsHeld(AttemptId id)
    {
        try
        {
            string path = new AttemptFiles(_folders.Of(id)).Lock;
            return File.Exists(path) && FileLock.IsHeld(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
