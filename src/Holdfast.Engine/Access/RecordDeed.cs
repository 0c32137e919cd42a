using Holdfast.Engine.Store;

namespace Holdfast.Engine.Access;

/// <summary>
/// Records what was done where no transaction of the store does it, such as the saving of a file: after the deed, and so lost if the server
/// dies between the two.
/// </summary>
public sealed class RecordDeed(StateStore store, TimeProvider time)
{
    public Task RunAsync(Actor actor, Deed deed) =>
        store.WriteAsync(
            transaction => AuditTable.Insert(transaction, time.NowMicroseconds(), actor, deed.Operation, deed.Subject, deed.Reason),
            CancellationToken.None
        );
}
