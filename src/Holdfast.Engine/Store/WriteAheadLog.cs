using System.Runtime.InteropServices;

namespace Holdfast.Engine.Store;

/// <summary>
/// Watches the size of the WAL and copies it back into the database. Only the writer's connection has one: SQLite before 3.51.3 can
/// damage a database when two connections write or checkpoint at the same moment, and here there is only one that ever does.
/// </summary>
internal sealed unsafe class WriteAheadLog : IDisposable
{
    /// <summary>
    /// A WAL this many times the size wished for means that readers overlap without end; then the writer waits for them once.
    /// </summary>
    private const int PatienceFactor = 16;

    private readonly StoreConnection _connection;
    private readonly int _pagesMax;
    private int* _pages; // Written by SQLite's hook after each COMMIT, on the writer thread.
    private int _nextAttemptAt;

    public WriteAheadLog(StoreConnection connection, int pagesMax)
    {
        _connection = connection;
        _pagesMax = pagesMax;
        _nextAttemptAt = pagesMax;
        _pages = (int*)NativeMemory.AllocZeroed(sizeof(int));
        _ = Sqlite.WalHook(connection.Handle, &OnCommitted, _pages); // Takes the place of SQLite's own automatic checkpoint.
    }

    /// <summary>To be called between batches: the checkpoint costs milliseconds and no caller should wait for it.</summary>
    public void CheckpointIfLarge()
    {
        int pages = *_pages;
        if (pages < _nextAttemptAt)
        {
            _nextAttemptAt = pages < _pagesMax ? _pagesMax : _nextAttemptAt;
            return;
        }

        // PASSIVE waits for nobody: a reader on an old snapshot makes it stop early, and the next attempt, a WAL's size later, does the
        // rest. The WAL starts over from its beginning with the first commit after a complete one.
        int mode = pages >= PatienceFactor * _pagesMax ? Sqlite.CheckpointRestart : Sqlite.CheckpointPassive;
        _ = Sqlite.WalCheckpointV2(_connection.Handle, 0, mode, null, null); // A failure loses nothing: the WAL stays.
        _nextAttemptAt = pages + _pagesMax;
    }

    /// <summary>Copies everything back and empties the WAL. For the clean close, when no reader is left.</summary>
    public void Truncate() => _ = Sqlite.WalCheckpointV2(_connection.Handle, 0, Sqlite.CheckpointTruncate, null, null);

    public void Dispose()
    {
        if (_pages is not null)
        {
            _ = Sqlite.WalHook(_connection.Handle, null, null);
            NativeMemory.Free(_pages);
            _pages = null;
        }
    }

    [UnmanagedCallersOnly]
    private static int OnCommitted(int* pages, nint connection, byte* database, int walPages)
    {
        *pages = walPages;
        return Sqlite.Ok;
    }
}
