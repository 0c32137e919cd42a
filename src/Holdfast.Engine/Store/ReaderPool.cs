using System.Collections.Concurrent;

namespace Holdfast.Engine.Store;

/// <summary>
/// A few read-only connections, each lent to one query at a time and opened when first needed. Whoever finds none free waits.
/// </summary>
internal sealed class ReaderPool : IDisposable
{
    private readonly ConcurrentStack<StoreReader> _idle = new();
    private readonly SemaphoreSlim _free;
    private readonly StoreOptions _options;
    private volatile bool _isClosed;

    public ReaderPool(StoreOptions options)
    {
        _options = options;
        _free = new SemaphoreSlim(options.ReaderMax);
    }

    public T Read<T>(Func<StoreReader, T> query)
    {
        _free.Wait();
        try
        {
            if (_isClosed)
            {
                throw new StoreException(ErrorCodes.StoreClosed, "The store is closed: the server is stopping.");
            }

            StoreReader reader = _idle.TryPop(out StoreReader? idle) ? idle : Open();
            try
            {
                return InSnapshot(reader, query);
            }
            finally
            {
                _idle.Push(reader);
            }
        }
        finally
        {
            _ = _free.Release();
        }
    }

    /// <summary>Waits for the queries under way and closes every connection.</summary>
    public void Dispose()
    {
        _isClosed = true;
        for (int i = 0; i < _options.ReaderMax; i++)
        {
            _free.Wait();
        }

        while (_idle.TryPop(out StoreReader? reader))
        {
            reader.Connection.Dispose();
        }

        _ = _free.Release(_options.ReaderMax); // Those who still come are told that it is closed.
    }

    private static T InSnapshot<T>(StoreReader reader, Func<StoreReader, T> query)
    {
        RunStatement(reader, "BEGIN");
        try
        {
            return query(reader);
        }
        finally
        {
            // An open statement or transaction would hold its snapshot and keep the WAL from ever starting over.
            reader.Connection.ReturnAll();
            if (reader.Connection.IsInTransaction)
            {
                RunStatement(reader, "ROLLBACK");
            }
        }
    }

    private static void RunStatement(StoreReader reader, string sql)
    {
        using Statement statement = reader.Prepare(sql);
        _ = statement.Step();
    }

    private StoreReader Open()
    {
        StoreConnection connection = StoreConnection.Open(_options.DatabasePath, isReadOnly: true, _options.BusyTimeout);
        connection.Execute(Pragmas.OfReaders);
        return StoreReader.Over(connection);
    }
}
