using Holdfast.Protocol.Processes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Engine.Store;

/// <summary>
/// The durable state of a server: one SQLite file, one thread that writes it, a few connections that read it. It knows SQL and
/// transactions but no table. (Not named Store: that word is the namespace, which would win wherever both are in sight.)
/// </summary>
public sealed class StateStore : IAsyncDisposable
{
    private readonly StoreConnection _connection;
    private readonly ChangeQueue _queue;
    private readonly CommittedEffects _effects;
    private readonly StoreWriter _writer;
    private readonly ReaderPool _readers;
    private int _isDisposed;

    [ThreadStatic]
    private static bool _isReading;

    private StateStore(StoreConnection connection, StoreOptions options, TimeProvider time, ILogger logger)
    {
        _connection = connection;
        _queue = new ChangeQueue(options.QueueCapacity);
        _effects = new CommittedEffects(options.EffectCapacity, logger);
        _writer = new StoreWriter(connection, _queue, _effects, options, time);
        _readers = new ReaderPool(options);
    }

    /// <summary>The version of the system's SQLite, for <c>holdfast version</c> and <c>doctor</c>.</summary>
    public static string SqliteVersion => SqliteLibrary.Version;

    /// <summary>
    /// Opens or creates the store and brings its schema up to date. The caller holds the data directory's lock.
    /// Errors: <c>sqlite-missing</c>, <c>sqlite-too-old</c>, <c>schema-too-new</c>, <c>store-corrupt</c>, <c>disk-full</c>,
    /// <c>store-failed</c>.
    /// </summary>
    public static StateStore Open(StoreOptions options, TimeProvider time, ILogger? logger = null)
    {
        SqliteLibrary.Require();
        CreateFile(options);
        StoreConnection connection = StoreConnection.Open(options.DatabasePath, isReadOnly: false, options.BusyTimeout);
        try
        {
            // Counts only for a file that is still empty: then its free pages can be given back.
            connection.Execute("PRAGMA auto_vacuum = INCREMENTAL");
            RequireWriteAheadLog(connection, options.DatabasePath);
            connection.Execute(Pragmas.OfTheWriter);
            Migrator.Migrate(connection, options.Migrations, options.DatabasePath);
            return new StateStore(connection, options, time, logger ?? NullLogger.Instance);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Runs <paramref name="change"/> on the writer thread, inside the transaction of the current batch, and completes only after its
    /// COMMIT has been synced. What it throws rolls back this change alone and is given to the caller. The token is honoured until the
    /// change is taken into a batch. Errors: <c>disk-full</c>, <c>store-constraint</c>, <c>store-failed</c>, <c>store-closed</c>.
    /// </summary>
    public Task<T> WriteAsync<T>(Func<StoreTransaction, T> change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(cancellationToken);
        }

        var pending = new PendingChange<T>(change, cancellationToken);
        return _queue.TryAdd(pending) ? pending.Task : AddWhenThereIsRoomAsync(pending, cancellationToken);
    }

    /// <summary>A change without a result.</summary>
    public Task WriteAsync(Action<StoreTransaction> change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        return WriteAsync<bool>(
            transaction =>
            {
                change(transaction);
                return true;
            },
            cancellationToken
        );
    }

    /// <summary>
    /// Runs <paramref name="query"/> on this thread against one committed snapshot. It may wait a moment for a connection, never for the
    /// writer. Not inside a change or another query, where it would see an older state than its surroundings: that throws.
    /// </summary>
    public T Read<T>(Func<StoreReader, T> query)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (_isReading || _writer.IsCurrentThread)
        {
            throw new InvalidOperationException(
                "A query inside a change or another query must use the reader or transaction that it was given."
            );
        }

        _isReading = true;
        try
        {
            return _readers.Read(query);
        }
        finally
        {
            _isReading = false;
        }
    }

    /// <summary>The problems SQLite finds in the file; empty when it is sound. Reads everything.</summary>
    public IReadOnlyList<string> CheckIntegrity() => Read(IntegrityCheck.Run);

    /// <summary>Takes no more changes, commits those waiting, runs their effects, folds the WAL into the database and closes it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            await Task.Run(Close).ConfigureAwait(false); // It joins threads; the caller's is not to be held.
        }
    }

    private static void CreateFile(StoreOptions options)
    {
        if (File.Exists(options.DatabasePath))
        {
            return;
        }

        // Created here for its mode, which SQLite gives to the -wal and -shm files too. Never opened by us again: closing any
        // descriptor of the file would drop SQLite's POSIX locks on it.
        int fd = Libc.Open(options.DatabasePath, Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenCloseOnExec, Libc.OwnerReadWrite);
        if (fd < 0)
        {
            IOException failure = Libc.Failure("open", options.DatabasePath);
            throw new StoreException(
                failure.HResult is Libc.Enospc or Libc.Edquot ? ErrorCodes.DiskFull : ErrorCodes.StoreFailed,
                $"The database could not be created: {failure.Message}",
                cause: failure
            );
        }

        _ = Libc.Close(fd);
        DurableFile.SyncDirectory(options.Directory);
    }

    private static void RequireWriteAheadLog(StoreConnection connection, string path)
    {
        string mode = connection.QueryText("PRAGMA journal_mode = WAL");
        if (mode != "wal")
        {
            throw new StoreException(
                ErrorCodes.StoreFailed,
                $"SQLite could not use its write-ahead log for {path} (it says '{mode}'), which needs a local disk: network file systems do not share memory. Give a data directory on a local disk with --data."
            );
        }
    }

    private async Task<T> AddWhenThereIsRoomAsync<T>(PendingChange<T> pending, CancellationToken cancellationToken)
    {
        await _queue.AddAsync(pending, cancellationToken).ConfigureAwait(false);
        return await pending.Task.ConfigureAwait(false);
    }

    private void Close()
    {
        _queue.Close();
        _writer.Join();
        _effects.Dispose();
        _readers.Dispose();
        _writer.Dispose();
        _connection.Dispose();
    }
}
