using Holdfast.Engine.Access;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Callbacks;

/// <summary>
/// Sends a callback again by a person's hand: at once, with its schedule from the beginning and under the id it always had, so that a
/// receiver that has it already can tell.
/// Errors: callback-not-found, illegal-transition.
/// </summary>
public sealed class RedriveCallback(StateStore store, CallbackLedger ledger, TimeProvider time)
{
    public Task<CallbackView> RunAsync(CallbackId id, CancellationToken cancellationToken) =>
        store.WriteAsync(
            transaction =>
            {
                Callback redriven = ledger.Redrive(transaction, id);
                AuditTable.Record(transaction, time.NowMicroseconds(), nameof(RedriveCallback), id.Value, redriven.SubjectId);
                return new CallbackView(redriven, CallbackAttemptsTable.Of(transaction, redriven.Sequence));
            },
            cancellationToken
        );
}
