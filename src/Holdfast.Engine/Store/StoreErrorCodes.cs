namespace Holdfast.Engine.Store;

/// <summary>The stable codes of what can go wrong with the store and its directory. Each has a page in docs/errors; none is ever renamed.</summary>
public static class StoreErrorCodes
{
    public const string DataDirectoryInUse = "data-directory-in-use";
    public const string DataDirectoryNotWritable = "data-directory-not-writable";
    public const string DiskFull = "disk-full";
    public const string SchemaTooNew = "schema-too-new";
    public const string SqliteMissing = "sqlite-missing";
    public const string SqliteTooOld = "sqlite-too-old";

    /// <summary>The store has been closed; the server is stopping.</summary>
    public const string StoreClosed = "store-closed";

    /// <summary>A row broke a UNIQUE, FOREIGN KEY, CHECK or NOT NULL rule. Only the change that did so was rolled back.</summary>
    public const string StoreConstraint = "store-constraint";

    /// <summary>The file is damaged, or is not a database of ours.</summary>
    public const string StoreCorrupt = "store-corrupt";

    /// <summary>Any other failure of SQLite or of the disk beneath it.</summary>
    public const string StoreFailed = "store-failed";
}
