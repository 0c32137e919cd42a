using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;

namespace Holdfast.Engine.Store;

/// <summary>
/// A prepared statement, rented from its connection until it is disposed: <c>using var s = tx.Prepare("…").Bind(1, x);</c>.
/// Parameters count from 1 and columns from 0, as in SQLite. It must not be kept beyond the change or query it was prepared in.
/// </summary>
public sealed unsafe class Statement : IDisposable
{
    private const int StackBytesMax = 1024;
    private readonly StoreConnection _connection;
    private nint _handle;
    private bool _isRented;
    private bool _isDone;
    private bool _hasBindings;

    internal Statement(StoreConnection connection, string sql, nint handle)
    {
        _connection = connection;
        _handle = handle;
        Sql = sql;
    }

    public string Sql { get; }

    internal Statement? NextIdle { get; set; }

    public Statement Bind(int index, long value) => Bound(Sqlite.BindInt64(Handle, index, value));

    public Statement Bind(int index, long? value) => value is { } known ? Bind(index, known) : BindNull(index);

    public Statement Bind(int index, bool value) => Bind(index, value ? 1L : 0L);

    public Statement Bind(int index, double value) => Bound(Sqlite.BindDouble(Handle, index, value));

    public Statement BindNull(int index) => Bound(Sqlite.BindNull(Handle, index));

    [OverloadResolutionPriority(1)] // So that Bind(1, null) is a NULL and not a riddle for the compiler.
    public Statement Bind(int index, string? value)
    {
        if (value is null)
        {
            return BindNull(index);
        }

        int bytesMax = Encoding.UTF8.GetMaxByteCount(value.Length);
        byte[]? rented = null;
        Span<byte> buffer = bytesMax <= StackBytesMax ? stackalloc byte[StackBytesMax] : (rented = ArrayPool<byte>.Shared.Rent(bytesMax));
        int length = Encoding.UTF8.GetBytes(value, buffer);
        fixed (byte* text = buffer)
        {
            int result = Sqlite.BindText(Handle, index, text, length, Sqlite.Transient);
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }

            return Bound(result);
        }
    }

    /// <summary>A BLOB. An empty span is an empty blob, not NULL.</summary>
    public Statement Bind(int index, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return Bound(Sqlite.BindZeroBlob(Handle, index, 0)); // A null pointer would mean NULL.
        }

        fixed (byte* start = value)
        {
            return Bound(Sqlite.BindBlob(Handle, index, start, value.Length, Sqlite.Transient));
        }
    }

    /// <summary>A BLOB, or NULL for null.</summary>
    public Statement Bind(int index, byte[]? value) => value is null ? BindNull(index) : Bind(index, value.AsSpan());

    /// <summary>Text that is UTF-8 already, such as a JSON document.</summary>
    public Statement BindUtf8(int index, ReadOnlySpan<byte> text)
    {
        byte nothing = 0;
        fixed (byte* start = text)
        {
            return Bound(Sqlite.BindText(Handle, index, text.IsEmpty ? &nothing : start, text.Length, Sqlite.Transient));
        }
    }

    /// <summary>True when there is a (further) row. Once false it stays false until <see cref="Reset"/>: SQLite would start over.</summary>
    public bool Step()
    {
        if (_isDone)
        {
            return false;
        }

        int result = Sqlite.Step(Handle);
        if (result == Sqlite.Row)
        {
            return true;
        }

        _isDone = true;
        return result == Sqlite.Done ? false : throw _connection.Failure(result, Sql);
    }

    /// <summary>
    /// Runs to the end, gives the number of rows inserted, updated or deleted, and is then ready to be bound and run again.
    /// </summary>
    public int Execute()
    {
        while (Step()) { }

        int changes = _connection.Changes;
        _ = Reset();
        return changes;
    }

    /// <summary>Like <see cref="Execute"/>, and gives the rowid of the inserted row.</summary>
    public long ExecuteInsert()
    {
        _ = Execute();
        return _connection.LastInsertRowId;
    }

    /// <summary>Ready to run again from the start; bindings stay until they are bound anew.</summary>
    public Statement Reset()
    {
        _ = Sqlite.Reset(Handle); // It repeats the error of the last step, which has been thrown already.
        _isDone = false;
        return this;
    }

    public bool IsNull(int column) => Sqlite.ColumnType(Handle, column) == Sqlite.TypeNull;

    public long Int64(int column) => IsNull(column) ? throw UnexpectedNull(column) : Sqlite.ColumnInt64(_handle, column);

    public int Int32(int column) => checked((int)Int64(column));

    public bool Bool(int column) => Int64(column) != 0;

    public double Double(int column) => IsNull(column) ? throw UnexpectedNull(column) : Sqlite.ColumnDouble(_handle, column);

    public string Text(int column) => TextOrNull(column) ?? throw UnexpectedNull(column);

    public byte[] Blob(int column) => IsNull(column) ? throw UnexpectedNull(column) : Bytes(column).ToArray();

    public long? Int64OrNull(int column) => IsNull(column) ? null : Sqlite.ColumnInt64(_handle, column);

    public string? TextOrNull(int column)
    {
        byte* text = Sqlite.ColumnText(Handle, column);
        // The bytes are counted after the text was asked for, which may have converted it.
        return text is null ? null : Encoding.UTF8.GetString(text, Sqlite.ColumnBytes(_handle, column));
    }

    public byte[]? BlobOrNull(int column) => IsNull(column) ? null : Bytes(column).ToArray();

    /// <summary>The bytes of a BLOB or of UTF-8 text without a copy; valid until the next step, reset or dispose. Empty for NULL.</summary>
    public ReadOnlySpan<byte> Bytes(int column)
    {
        byte* start = Sqlite.ColumnBlob(Handle, column);
        return start is null ? default : new ReadOnlySpan<byte>(start, Sqlite.ColumnBytes(_handle, column));
    }

    public void Dispose()
    {
        if (!_isRented)
        {
            return;
        }

        _ = Sqlite.Reset(_handle);
        if (_hasBindings)
        {
            _ = Sqlite.ClearBindings(_handle); // A forgotten parameter is then NULL, never the value of the last user.
            _hasBindings = false;
        }

        _isRented = false;
        _connection.Return(this);
    }

    internal void Rent()
    {
        NextIdle = null;
        _isRented = true;
        _isDone = false;
    }

    internal void Finalise()
    {
        _ = Sqlite.Finalize(_handle);
        _handle = 0;
    }

    private nint Handle => _isRented ? _handle : throw new ObjectDisposedException(nameof(Statement), Sql);

    private Statement Bound(int result)
    {
        _hasBindings = true;
        return result == Sqlite.Ok ? this : throw _connection.Failure(result, Sql);
    }

    private InvalidOperationException UnexpectedNull(int column) => new($"Column {column} is NULL: {Sql}");
}
