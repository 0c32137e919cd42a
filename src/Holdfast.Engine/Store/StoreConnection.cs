using System.Globalization;
using System.Text;

namespace Holdfast.Engine.Store;

/// <summary>
/// One SQLite connection with its prepared statements. Used by one thread at a time; it does not know about transactions,
/// batches or pools, which belong to its users.
/// </summary>
internal sealed unsafe class StoreConnection : IDisposable
{
    /// <summary>More distinct texts than this means that SQL is being built from values; those are then not kept.</summary>
    private const int StatementsMax = 512;

    // Idle statements by text, as a chain: the same text may be in use twice at once, when a query is run inside the loop of another.
    private readonly Dictionary<string, Statement?> _idle = new(StringComparer.Ordinal);
    private readonly List<Statement> _rented = [];
    private nint _handle;

    private StoreConnection(nint handle) => _handle = handle;

    /// <summary>The first error in the current batch after which no change of it may be committed; null when there is none.</summary>
    public StoreException? BatchFailure { get; set; }

    public bool IsInTransaction => Sqlite.GetAutocommit(_handle) == 0;

    public int Changes => Sqlite.Changes(_handle);

    public long LastInsertRowId => Sqlite.LastInsertRowId(_handle);

    public nint Handle => _handle;

    public static StoreConnection Open(string path, bool isReadOnly, TimeSpan busyTimeout)
    {
        nint handle = 0;
        int result = Sqlite.OpenV2(path, &handle, (isReadOnly ? Sqlite.OpenReadOnly : Sqlite.OpenReadWrite) | Sqlite.OpenNoMutex, 0);
        if (result != Sqlite.Ok)
        {
            // A handle is given even for a failed open, to carry the message.
            StoreException failure = StoreException.FromSqlite(handle, result, $"open {path}");
            _ = Sqlite.CloseV2(handle);
            throw failure;
        }

        _ = Sqlite.ExtendedResultCodes(handle, 1);
        _ = Sqlite.BusyTimeout(handle, (int)busyTimeout.TotalMilliseconds);
        return new StoreConnection(handle);
    }

    public Statement Prepare(string sql)
    {
        ObjectDisposedException.ThrowIf(_handle == 0, this);
        if (_idle.TryGetValue(sql, out Statement? statement) && statement is not null)
        {
            _idle[sql] = statement.NextIdle;
        }
        else
        {
            statement = new Statement(this, sql, PrepareHandle(sql));
        }

        statement.Rent();
        _rented.Add(statement);
        return statement;
    }

    /// <summary>Takes a statement back from its user, already reset.</summary>
    public void Return(Statement statement)
    {
        // Statements are disposed innermost first, so the one looked for is nearly always the last.
        int index = _rented.LastIndexOf(statement);
        if (index >= 0)
        {
            _rented.RemoveAt(index);
        }

        if (_idle.TryGetValue(statement.Sql, out Statement? next) || _idle.Count < StatementsMax)
        {
            statement.NextIdle = next;
            _idle[statement.Sql] = statement;
        }
        else
        {
            statement.Finalise();
        }
    }

    /// <summary>Ends what the user forgot to dispose: an open query would hold the snapshot, and with it the WAL, for good.</summary>
    public void ReturnAll()
    {
        while (_rented.Count > 0)
        {
            _rented[^1].Dispose();
        }
    }

    /// <summary>Runs one or more statements without parameters or results.</summary>
    public void Execute(string sql)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(sql + '\0'))
        {
            int result = Sqlite.Exec(_handle, text, 0, 0, null);
            if (result != Sqlite.Ok)
            {
                throw Failure(result, sql);
            }
        }
    }

    public long QueryInt64(string sql)
    {
        using Statement statement = Prepare(sql);
        return statement.Step() ? statement.Int64(0) : throw new InvalidOperationException($"No row: {sql}");
    }

    public string QueryText(string sql)
    {
        using Statement statement = Prepare(sql);
        return statement.Step() ? statement.Text(0) : throw new InvalidOperationException($"No row: {sql}");
    }

    public StoreException Failure(int result, string what)
    {
        StoreException failure = StoreException.FromSqlite(_handle, result, what);
        if (failure.ConcernsTheWholeBatch)
        {
            BatchFailure ??= failure;
        }

        return failure;
    }

    public void Dispose()
    {
        if (_handle == 0)
        {
            return;
        }

        ReturnAll();
        foreach (Statement? head in _idle.Values)
        {
            for (Statement? statement = head; statement is not null; statement = statement.NextIdle)
            {
                statement.Finalise();
            }
        }

        _idle.Clear();
        _ = Sqlite.CloseV2(_handle);
        _handle = 0;
    }

    private nint PrepareHandle(string sql)
    {
        byte[] text = Encoding.UTF8.GetBytes(sql);
        nint handle = 0;
        fixed (byte* start = text)
        {
            byte* tail = null;
            int result = Sqlite.PrepareV3(_handle, start, text.Length, Sqlite.PreparePersistent, &handle, &tail);
            if (result != Sqlite.Ok)
            {
                throw Failure(result, sql);
            }

            int consumed = (int)(tail - start);
            if (handle == 0 || text.AsSpan(consumed).ContainsAnyExcept(" \t\r\n;"u8))
            {
                // SQLite compiles the first statement only; the rest would silently never run.
                _ = Sqlite.Finalize(handle);
                throw new ArgumentException(
                    string.Create(CultureInfo.InvariantCulture, $"Exactly one statement is expected, it ended at byte {consumed}: {sql}"),
                    nameof(sql)
                );
            }
        }

        return handle;
    }
}
