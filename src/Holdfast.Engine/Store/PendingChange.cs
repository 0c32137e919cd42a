namespace Holdfast.Engine.Store;

/// <summary>
/// A change on its way: waiting, then either taken into a batch or cancelled, never both. Its outcome reaches the caller only after COMMIT
/// or rollback.
/// </summary>
internal abstract class PendingChange
{
    private const int Waiting = 0;
    private const int Taken = 1;
    private const int Cancelled = 2;
    private int _state; // Moved by Interlocked only: the writer and the cancelling caller race for it.

    /// <summary>What the change itself threw; set on the writer thread, given to the caller by <see cref="Settle"/>.</summary>
    public Exception? Error { get; set; }

    /// <summary>False when the caller cancelled first.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _state, Taken, Waiting) == Waiting;

    public abstract void Run(StoreTransaction transaction);

    /// <summary>Gives the caller the result, or the change's own error. Only after COMMIT.</summary>
    public abstract void Settle();

    /// <summary>Gives the caller an error that concerns the whole batch.</summary>
    public abstract void Fail(Exception error);

    protected bool TryCancel() => Interlocked.CompareExchange(ref _state, Cancelled, Waiting) == Waiting;
}

/// <summary>A change with its typed result.</summary>
internal sealed class PendingChange<T> : PendingChange
{
    // Asynchronous continuations: a caller's code must never run on the writer thread.
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<StoreTransaction, T> _change;
    private readonly CancellationTokenRegistration _registration;
    private readonly Actor? _actor = Actor.Current; // It would not come along to the writer thread.
    private T _result = default!;

    public PendingChange(Func<StoreTransaction, T> change, CancellationToken cancellationToken)
    {
        _change = change;
        _registration = cancellationToken.UnsafeRegister(static (state, token) => ((PendingChange<T>)state!).Cancel(token), this);
    }

    public Task<T> Task => _completion.Task;

    public override void Run(StoreTransaction transaction)
    {
        transaction.Actor = _actor;
        _result = _change(transaction);
    }

    public override void Settle()
    {
        if (Error is not null)
        {
            Fail(Error);
            return;
        }

        _ = _registration.Unregister();
        _completion.SetResult(_result);
    }

    public override void Fail(Exception error)
    {
        _ = _registration.Unregister();
        _ = _completion.TrySetException(error);
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        if (TryCancel())
        {
            _ = _completion.TrySetCanceled(cancellationToken);
        }
    }
}
