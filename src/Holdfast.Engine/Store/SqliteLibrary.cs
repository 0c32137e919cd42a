using System.Globalization;
using System.Runtime.InteropServices;

namespace Holdfast.Engine.Store;

/// <summary>
/// Finds out before the first call whether the system's SQLite is there and new enough, so that its absence is a sentence and not a stack
/// trace.
/// </summary>
public static class SqliteLibrary
{
    /// <summary>3.37.0 (2021) brought STRICT tables, the newest thing that the schema relies on.</summary>
    private const int OldestVersionNumber = 3_037_000;

    /// <summary>The version of the loaded library, such as <c>3.40.1</c>.</summary>
    public static string Version => Sqlite.Version;

    /// <summary>Errors: <c>sqlite-missing</c>, <c>sqlite-too-old</c>.</summary>
    public static void Require() => Require(Sqlite.Library);

    internal static void Require(string library)
    {
        if (!NativeLibrary.TryLoad(library, out _))
        {
            throw new StoreException(
                ErrorCodes.SqliteMissing,
                $"SQLite is not installed: {library} was not found. Install it with: apt-get install libsqlite3-0"
            );
        }

        if (Sqlite.LibVersionNumber() < OldestVersionNumber)
        {
            throw new StoreException(
                ErrorCodes.SqliteTooOld,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"SQLite {Version} is too old: Holdfast needs 3.37.0 or newer. Upgrade the package libsqlite3-0, or the system."
                )
            );
        }
    }
}
