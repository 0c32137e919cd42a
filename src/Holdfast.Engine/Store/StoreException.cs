using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Store;

/// <summary>
/// A failure of the store with its stable code (<see cref="ErrorCodes"/>) and a sentence; the extended SQLite result code where there is
/// one.
/// </summary>
public sealed class StoreException : Exception
{
    public StoreException(string code, string message, int sqliteCode = 0, Exception? cause = null)
        : base(message, cause)
    {
        Code = code;
        SqliteCode = sqliteCode;
    }

    public string Code { get; }

    public int SqliteCode { get; }

    /// <summary>True for a UNIQUE or PRIMARY KEY violation: a row with this key is there already.</summary>
    public bool IsDuplicateKey => SqliteCode is Sqlite.ConstraintUnique or Sqlite.ConstraintPrimaryKey;

    /// <summary>
    /// True when SQLite may have rolled back the whole transaction, or the file can no longer be trusted to take it: the batch fails
    /// as a whole then. A violated constraint or a wrong statement concerns its own change only.
    /// </summary>
    internal bool ConcernsTheWholeBatch =>
        (SqliteCode & 0xff)
            is Sqlite.Full
                or Sqlite.IoError
                or Sqlite.NoMemory
                or Sqlite.Corrupt
                or Sqlite.NotADatabase
                or Sqlite.CannotOpen
                or Sqlite.ReadOnly
                or Sqlite.Protocol
                or Sqlite.Busy
                or Sqlite.Locked;

    internal static StoreException FromSqlite(nint connection, int result, string what)
    {
        // The connection's own code is the extended one even where the call returned only the primary one.
        int code =
            connection != 0 && (Sqlite.ExtendedErrorCode(connection) & 0xff) == (result & 0xff)
                ? Sqlite.ExtendedErrorCode(connection)
                : result;
        int errno = connection != 0 ? Sqlite.SystemErrno(connection) : 0;
        string message = connection != 0 ? Sqlite.ErrorMessage(connection) : Sqlite.ErrorString(result);
        return new StoreException(
            CodeOf(code, errno),
            $"{Sentence(code, errno)} SQLite says '{message}' (code {code}, errno {errno}) for: {what}",
            code
        );
    }

    private static bool IsOutOfSpace(int code, int errno) =>
        (code & 0xff) == Sqlite.Full
        // SQLite reports ENOSPC of a write as FULL, but a quota, and a failed growth of the -shm file, as an I/O error.
        || ((code & 0xff) == Sqlite.IoError && errno is Libc.Enospc or Libc.Edquot);

    private static string CodeOf(int code, int errno) =>
        (code & 0xff) switch
        {
            _ when IsOutOfSpace(code, errno) => ErrorCodes.DiskFull,
            Sqlite.Constraint => ErrorCodes.StoreConstraint,
            Sqlite.Corrupt or Sqlite.NotADatabase => ErrorCodes.StoreCorrupt,
            _ => ErrorCodes.StoreFailed,
        };

    private static string Sentence(int code, int errno) =>
        CodeOf(code, errno) switch
        {
            ErrorCodes.DiskFull => "There is no room left for the store; nothing of this change was kept. Free some space and try again.",
            ErrorCodes.StoreConstraint => "The change breaks a rule of the schema.",
            ErrorCodes.StoreCorrupt =>
                "The database is damaged or is not Holdfast's. Stop the server, keep a copy of the data directory, and run 'holdfast doctor'.",
            _ => (code & 0xff) switch
            {
                Sqlite.CannotOpen =>
                    "The database cannot be opened. Put the owner and the permissions of its file and folder right: 'holdfast doctor' looks at them.",
                Sqlite.ReadOnly =>
                    "The database cannot be written. Put the owner and the permissions of its file and folder right, and see whether its disk is mounted read-only.",
                Sqlite.IoError =>
                    "The disk of the database failed. Look into the system's log (dmesg) before anything else, and keep a copy of the data directory.",
                _ => "The store could not do this.",
            },
        };
}
