namespace Holdfast.Engine.Store;

/// <summary>
/// The bounded way to the writer thread. When it is full, callers wait (asynchronously) for room: nothing is dropped or refused, and
/// what a door accepts is slowed to what the disk takes. The writer takes everything waiting with one lock.
/// </summary>
internal sealed class ChangeQueue : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _room;
    private readonly ManualResetEventSlim _work = new(initialState: false, spinCount: 0);
    private readonly List<PendingChange> _waiting = []; // Guarded by _gate.
    private bool _isClosed; // Guarded by _gate.

    public ChangeQueue(int capacity) => _room = new SemaphoreSlim(capacity);

    /// <summary>False when the queue is full. Errors: <c>store-closed</c>.</summary>
    public bool TryAdd(PendingChange change)
    {
        if (!_room.Wait(0))
        {
            return false;
        }

        Add(change);
        return true;
    }

    public async Task AddAsync(PendingChange change, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        Add(change);
    }

    /// <summary>
    /// Blocks the writer thread until there is work, and moves up to <paramref name="max"/> changes into the empty
    /// <paramref name="batch"/>. False when closed and drained.
    /// </summary>
    public bool Take(List<PendingChange> batch, int max)
    {
        _work.Wait();
        lock (_gate)
        {
            int count = Math.Min(max, _waiting.Count);
            batch.AddRange(count == _waiting.Count ? _waiting : _waiting.GetRange(0, count));
            _waiting.RemoveRange(0, count);
            if (_waiting.Count == 0 && !_isClosed)
            {
                _work.Reset();
            }

            if (count == 0)
            {
                return !_isClosed;
            }
        }

        _ = _room.Release(batch.Count);
        return true;
    }

    /// <summary>No more changes from now on; those waiting are still taken.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            _work.Set();
        }
    }

    public void Dispose()
    {
        _room.Dispose();
        _work.Dispose();
    }

    private void Add(PendingChange change)
    {
        bool isFirst;
        lock (_gate)
        {
            if (_isClosed)
            {
                _ = _room.Release();
                throw new StoreException(ErrorCodes.StoreClosed, "The store is closed: the server is stopping.");
            }

            _waiting.Add(change);
            isFirst = _waiting.Count == 1;
        }

        if (isFirst)
        {
            // Outside the lock, which the woken writer wants at once. Should it have taken the change already, it finds nothing and waits
            // again.
            _work.Set();
        }
    }
}
