using Holdfast.Protocol;

namespace Holdfast.Engine.Store;

/// <summary>
/// The one thread that writes. Group commit: while one batch is being synced, the next gathers, so that one sync serves all who wait.
/// 1. Take all that is waiting, up to a limit. Nothing waits for a batch to fill: a lone caller pays one commit and no more.
/// 2. BEGIN IMMEDIATE; run each change in a savepoint (a lone one needs none); one that throws is rolled back alone.
/// 3. COMMIT, which syncs the WAL. A crash before it leaves nothing of the batch; after it, all of the batch, acknowledged or not:
///    that is why requests carry idempotency keys.
/// 4. Hand over the effects, complete the callers, and only then look after the WAL.
/// An error of the disk fails the batch as a whole, and the next batch tries again: there may be room then.
/// </summary>
internal sealed class StoreWriter : IDisposable
{
    private readonly StoreConnection _connection;
    private readonly ChangeQueue _queue;
    private readonly CommittedEffects _effects;
    private readonly StoreMeter _meter;
    private readonly WriteAheadLog _wal;
    private readonly StoreTransaction _transaction;
    private readonly List<PendingChange> _batch;
    private readonly int _batchMax;
    private readonly Thread _thread;

    public StoreWriter(StoreConnection connection, ChangeQueue queue, CommittedEffects effects, StoreOptions options, TimeProvider time)
    {
        _connection = connection;
        _queue = queue;
        _effects = effects;
        _meter = new StoreMeter(time);
        _wal = new WriteAheadLog(connection, options.CheckpointPages);
        _transaction = new StoreTransaction(connection);
        _batchMax = options.BatchMax;
        _batch = new List<PendingChange>(_batchMax);
        _thread = new Thread(Run) { Name = "store writer", IsBackground = true };
        _thread.Start();
    }

    public bool IsCurrentThread => Thread.CurrentThread == _thread;

    /// <summary>Waits until the closed queue is drained.</summary>
    public void Join() => _thread.Join();

    /// <summary>After <see cref="Join"/>, and when no reader is left.</summary>
    public void Dispose()
    {
        _wal.Truncate();
        _wal.Dispose();
        _meter.Dispose();
    }

    private void Run()
    {
        while (_queue.Take(_batch, _batchMax))
        {
            _batch.RemoveAll(static change => !change.TryTake());
            if (_batch.Count > 0)
            {
                CommitBatch();
                _batch.Clear();
                _wal.CheckpointIfLarge();
            }
        }
    }

    private void CommitBatch()
    {
        long start = _meter.Start();
        try
        {
            _connection.BatchFailure = null;
            RunStatement("BEGIN IMMEDIATE");
            if (_batch.Count == 1)
            {
                RunAlone(_batch[0]);
            }
            else
            {
                foreach (PendingChange change in _batch)
                {
                    RunInSavepoint(change);
                }
            }

            CrashPoints.Reach(CrashPoint.ServerBeforeCommit);
            if (_connection.IsInTransaction)
            {
                RunStatement("COMMIT");
            }

            CrashPoints.Reach(CrashPoint.ServerAfterCommit);
        }
        catch (Exception error)
        {
            FailBatch(error);
            return;
        }

        _effects.Post(_transaction.TakeEffects());
        foreach (PendingChange change in _batch)
        {
            change.Settle();
        }

        _meter.Committed(_batch.Count, start);
    }

    private void RunAlone(PendingChange change)
    {
        if (!TryRun(change))
        {
            RunStatement("ROLLBACK");
        }
    }

    private void RunInSavepoint(PendingChange change)
    {
        RunStatement("SAVEPOINT change");
        if (!TryRun(change))
        {
            RunStatement("ROLLBACK TO change");
        }

        RunStatement("RELEASE change");
    }

    /// <summary>False when the change threw and is to be rolled back alone. Throws what concerns the whole batch.</summary>
    private bool TryRun(PendingChange change)
    {
        int effectsBefore = _transaction.EffectCount;
        try
        {
            change.Run(_transaction);
        }
        catch (Exception error)
        {
            change.Error = error;
            _transaction.KeepEffects(effectsBefore);
        }

        _connection.ReturnAll();
        if (_connection.BatchFailure is { } failure)
        {
            throw failure; // Also when the change has swallowed it: SQLite may have rolled back what came before.
        }

        if (!_connection.IsInTransaction)
        {
            throw new StoreException(
                ErrorCodes.StoreFailed,
                "A change ended the transaction that it ran in; the batch was rolled back.",
                cause: change.Error
            );
        }

        return change.Error is null;
    }

    private void FailBatch(Exception error)
    {
        _meter.Failed();
        _transaction.KeepEffects(0);
        try
        {
            _connection.ReturnAll();
            if (_connection.IsInTransaction)
            {
                RunStatement("ROLLBACK");
            }
        }
        catch (StoreException)
        {
            // The next BEGIN fails with the same cause and says so to its callers.
        }

        foreach (PendingChange change in _batch)
        {
            change.Fail(error);
        }
    }

    private void RunStatement(string sql)
    {
        using Statement statement = _connection.Prepare(sql);
        _ = statement.Step();
    }
}
