using System.Runtime.InteropServices;

namespace Holdfast.Engine.Store;

/// <summary>
/// The calls of the system's libsqlite3 that the store uses, by their C names. SuppressGCTransition stands only on calls that
/// never block, allocate much or call back: a thread inside one of them holds up a garbage collection.
/// </summary>
internal static unsafe partial class Sqlite
{
    public const string Library = "libsqlite3.so.0";

    public const int Ok = 0;
    public const int Busy = 5;
    public const int Locked = 6;
    public const int NoMemory = 7;
    public const int ReadOnly = 8;
    public const int IoError = 10;
    public const int Corrupt = 11;
    public const int Full = 13;
    public const int CannotOpen = 14;
    public const int Protocol = 15;
    public const int Constraint = 19;
    public const int NotADatabase = 26;
    public const int Row = 100;
    public const int Done = 101;
    public const int ConstraintPrimaryKey = Constraint | (6 << 8);
    public const int ConstraintUnique = Constraint | (8 << 8);

    public const int OpenReadOnly = 0x1;
    public const int OpenReadWrite = 0x2;
    public const int OpenNoMutex = 0x8000; // Each connection is used by one thread at a time: by the writer, or by who has rented it.

    public const uint PreparePersistent = 0x1;

    public const int CheckpointPassive = 0;
    public const int CheckpointRestart = 2;
    public const int CheckpointTruncate = 3;

    public const int TypeNull = 5;

    /// <summary>SQLITE_TRANSIENT: SQLite takes its own copy before the call returns.</summary>
    public const nint Transient = -1;

    [LibraryImport(Library, EntryPoint = "sqlite3_libversion")]
    private static partial byte* LibVersion();

    [LibraryImport(Library, EntryPoint = "sqlite3_libversion_number")]
    public static partial int LibVersionNumber();

    [LibraryImport(Library, EntryPoint = "sqlite3_open_v2", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int OpenV2(string path, nint* connection, int flags, nint vfs);

    [LibraryImport(Library, EntryPoint = "sqlite3_close_v2")]
    public static partial int CloseV2(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_extended_result_codes")]
    public static partial int ExtendedResultCodes(nint connection, int isOn);

    [LibraryImport(Library, EntryPoint = "sqlite3_extended_errcode")]
    public static partial int ExtendedErrorCode(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_system_errno")]
    public static partial int SystemErrno(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_errmsg")]
    private static partial byte* ErrorMessageUtf8(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_errstr")]
    private static partial byte* ErrorStringUtf8(int code);

    [LibraryImport(Library, EntryPoint = "sqlite3_busy_timeout")]
    public static partial int BusyTimeout(nint connection, int milliseconds);

    [LibraryImport(Library, EntryPoint = "sqlite3_interrupt")]
    public static partial void Interrupt(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_exec")]
    public static partial int Exec(nint connection, byte* sql, nint callback, nint context, nint* message);

    [LibraryImport(Library, EntryPoint = "sqlite3_prepare_v3")]
    public static partial int PrepareV3(nint connection, byte* sql, int length, uint flags, nint* statement, byte** tail);

    [LibraryImport(Library, EntryPoint = "sqlite3_finalize")]
    public static partial int Finalize(nint statement);

    [LibraryImport(Library, EntryPoint = "sqlite3_step")]
    public static partial int Step(nint statement);

    [LibraryImport(Library, EntryPoint = "sqlite3_reset")]
    public static partial int Reset(nint statement);

    [LibraryImport(Library, EntryPoint = "sqlite3_clear_bindings")]
    public static partial int ClearBindings(nint statement);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_bind_int64")]
    public static partial int BindInt64(nint statement, int index, long value);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_bind_double")]
    public static partial int BindDouble(nint statement, int index, double value);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_bind_null")]
    public static partial int BindNull(nint statement, int index);

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_text")]
    public static partial int BindText(nint statement, int index, byte* text, int length, nint destructor);

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_blob")]
    public static partial int BindBlob(nint statement, int index, byte* value, int length, nint destructor);

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_zeroblob")]
    public static partial int BindZeroBlob(nint statement, int index, int length);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_column_type")]
    public static partial int ColumnType(nint statement, int index);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_column_int64")]
    public static partial long ColumnInt64(nint statement, int index);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_column_double")]
    public static partial double ColumnDouble(nint statement, int index);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_text")]
    public static partial byte* ColumnText(nint statement, int index);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_blob")]
    public static partial byte* ColumnBlob(nint statement, int index);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_column_bytes")]
    public static partial int ColumnBytes(nint statement, int index);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_changes")]
    public static partial int Changes(nint connection);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_last_insert_rowid")]
    public static partial long LastInsertRowId(nint connection);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "sqlite3_get_autocommit")]
    public static partial int GetAutocommit(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_wal_hook")]
    public static partial nint WalHook(nint connection, delegate* unmanaged<int*, nint, byte*, int, int> hook, int* context);

    [LibraryImport(Library, EntryPoint = "sqlite3_wal_checkpoint_v2")]
    public static partial int WalCheckpointV2(nint connection, nint database, int mode, int* logPages, int* checkpointedPages);

    public static string Version => Marshal.PtrToStringUTF8((nint)LibVersion())!;

    public static string ErrorMessage(nint connection) => Marshal.PtrToStringUTF8((nint)ErrorMessageUtf8(connection)) ?? "";

    public static string ErrorString(int code) => Marshal.PtrToStringUTF8((nint)ErrorStringUtf8(code)) ?? "";
}
