using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// One write of a client's cell, as it was when the write was put together: the cell itself goes on changing meanwhile, on another thread.
/// Tried again when the store fails.
/// </summary>
internal sealed class SentCellSave(ExecutionLedger ledger, CellTracker.Cell cell, Action<string>? cancelledCellStarted)
{
    private readonly SentCell _sent = cell.Sent!;
    private readonly bool _isNew = !cell.IsStored;
    private ExecutionId _id = cell.Sent!.Id;

    public void Run(StoreTransaction transaction)
    {
        Execution saved = ledger.SaveSent(transaction, _sent, _isNew);
        _id = saved.Id;
        if (_isNew && saved is { IsCancelRequested: true } && !saved.State.IsTerminal())
        {
            // Found again after a crash, before which the cancel may not have reached the kernel.
            transaction.OnCommitted(() => cancelledCellStarted?.Invoke(_sent.MessageId));
        }
    }

    /// <summary>To be called by who owns the cell, after the commit.</summary>
    public void Done()
    {
        cell.IsStored = true;
        cell.Sent = cell.Sent! with { Id = _id };
    }
}
