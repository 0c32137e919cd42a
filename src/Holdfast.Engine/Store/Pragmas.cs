namespace Holdfast.Engine.Store;

/// <summary>The settings of every connection, in one place; docs/spec/store-schema.md says why each.</summary>
internal static class Pragmas
{
    /// <summary>The writer. The journal mode is set and checked apart, as it answers with a row and may be refused.</summary>
    public const string OfTheWriter = """
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = ON;
        PRAGMA temp_store = MEMORY;
        PRAGMA mmap_size = 0;
        PRAGMA trusted_schema = OFF;
        """;

    public const string OfReaders = """
        PRAGMA query_only = ON;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA temp_store = MEMORY;
        PRAGMA mmap_size = 0;
        PRAGMA trusted_schema = OFF;
        """;
}
