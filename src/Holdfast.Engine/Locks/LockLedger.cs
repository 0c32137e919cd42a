using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Locks;

/// <summary>
/// The only writer of locks. Whoever asks for locks stands in the line of each at one place, and has all of them, or none, when it is the
/// first in every line. Places order all lines alike, so the oldest who waits is never behind a younger one: no deadlock, and nobody
/// starves. A lock is left only with the execution's end, in the same transaction, or by a person's hand. What follows for executions is
/// the caller's to do.
/// </summary>
internal sealed class LockLedger(FeedLog feed, TimeProvider time)
{
    /// <summary>Takes a place in every line; true when that is the first in all of them.</summary>
    public bool Enter(StoreTransaction transaction, ExecutionId id, IReadOnlyList<string> names)
    {
        long place = LocksTable.Enter(transaction, id, names, time.NowMicroseconds());
        if (LocksTable.WaitsFor(transaction, place).Count == 0)
        {
            Grant(transaction, place, id);
            return true;
        }

        foreach (string name in names)
        {
            Announce(transaction, "lock.waiting", name, id, place, null);
        }

        return false;
    }

    /// <summary>Leaves every line, held or not; those who have all of their locks by that.</summary>
    public List<ExecutionId> Leave(StoreTransaction transaction, ExecutionId id)
    {
        if (LocksTable.PlaceOf(transaction, id) is not { } place)
        {
            return [];
        }

        List<string> names = LocksTable.NamesOf(transaction, place);
        LocksTable.Leave(transaction, place);
        foreach (string name in names)
        {
            Announce(transaction, "lock.released", name, id, place, null);
        }

        return GrantFirst(transaction, names);
    }

    /// <summary>
    /// Takes a lock from its holder by hand; the holder goes on without it, and its fence is old from here on. Null when nobody holds it.
    /// </summary>
    public (ExecutionId Holder, long Fence, List<ExecutionId> Granted)? Release(StoreTransaction transaction, string name, string reason)
    {
        if (LocksTable.First(transaction, name) is not { IsGranted: true } holder)
        {
            return null;
        }

        LocksTable.LeaveOne(transaction, holder.Place, name);
        Announce(transaction, "lock.released", name, holder.Id, holder.Place, reason);
        return (holder.Id, holder.Place, GrantFirst(transaction, [name]));
    }

    /// <summary>
    /// Start-up's look at one who waits, although each change is one transaction: true when it stood first in all of its lines, and has its
    /// locks now.
    /// </summary>
    public bool GrantIfFirst(StoreTransaction transaction, long place, ExecutionId id)
    {
        if (LocksTable.WaitsFor(transaction, place).Count > 0)
        {
            return false;
        }

        Grant(transaction, place, id);
        return true;
    }

    private List<ExecutionId> GrantFirst(StoreTransaction transaction, List<string> names)
    {
        var granted = new List<ExecutionId>();
        foreach (string name in names)
        {
            if (LocksTable.First(transaction, name) is { IsGranted: false } next && LocksTable.WaitsFor(transaction, next.Place).Count == 0)
            {
                Grant(transaction, next.Place, next.Id);
                granted.Add(next.Id);
            }
        }

        return granted;
    }

    private void Grant(StoreTransaction transaction, long place, ExecutionId id)
    {
        LocksTable.Grant(transaction, place, time.NowMicroseconds());
        foreach (string name in LocksTable.NamesOf(transaction, place))
        {
            Announce(transaction, "lock.acquired", name, id, place, null);
        }
    }

    private void Announce(StoreTransaction transaction, string kind, string name, ExecutionId id, long place, string? reason) =>
        feed.Append(
            transaction,
            kind,
            name,
            writer =>
            {
                writer.WriteString("name", name);
                writer.WriteString("executionId", id.Value);
                writer.WriteNumber("fence", place);
                if (reason is not null)
                {
                    writer.WriteString("reason", reason);
                }
            }
        );
}
