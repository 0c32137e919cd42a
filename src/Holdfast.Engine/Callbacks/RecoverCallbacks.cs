using Holdfast.Engine.Recovery;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Callbacks;

/// <summary>
/// Start-up's part: attempts that the last server's end cut off are due again, and the courier is told of every receiver that something is
/// on its way to.
/// </summary>
public sealed class RecoverCallbacks(StateStore store, CallbackLedger ledger, CallbackCourier courier)
{
    /// <summary>
    /// Found: how many attempts had been cut off. Asked for again while the courier is at work, it only has it look at everything: what is
    /// under way then is its own.
    /// </summary>
    public async Task<PhaseResult> RunAsync(CancellationToken cancellationToken)
    {
        int cutOff = courier.IsStarted ? 0 : await store.WriteAsync(ledger.Repair, cancellationToken);
        courier.Start(store.Read(CallbacksTable.PendingLanes));
        return new PhaseResult(cutOff);
    }
}
