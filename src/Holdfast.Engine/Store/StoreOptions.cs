namespace Holdfast.Engine.Store;

/// <summary>How to open a store. The defaults are the product's; tests change the migrations and the sizes.</summary>
public sealed record StoreOptions
{
    public const string FileName = "holdfast.db";

    /// <summary>The folder of <c>holdfast.db</c>. Whoever opens the store holds the folder's lock (its <c>server.lock</c>).</summary>
    public required string Directory { get; init; }

    /// <summary>The schema, oldest first, without a gap. Default: those embedded in this program.</summary>
    public IReadOnlyList<Migration> Migrations { get; init; } = Migration.Embedded;

    /// <summary>
    /// Changes that may wait for the writer before callers wait for room. Default 8192: some tenths of a second of work, some MB.
    /// </summary>
    public int QueueCapacity { get; init; } = 8192;

    /// <summary>
    /// Changes in one transaction at most. Default 1024: beyond it the share of the sync is already lost in the noise, and only the wait of
    /// the first grows.
    /// </summary>
    public int BatchMax { get; init; } = 1024;

    /// <summary>Batches whose effects may wait to run before the writer waits for them. Default 256.</summary>
    public int EffectCapacity { get; init; } = 256;

    /// <summary>Reading connections, opened when first needed. Default 4: reads take microseconds, so more only cost memory.</summary>
    public int ReaderMax { get; init; } = 4;

    /// <summary>
    /// Size of the WAL, in pages of 4 KiB, at which the writer copies it back. Default 1000 (4 MiB), SQLite's own; start-up after a crash
    /// reads the WAL once.
    /// </summary>
    public int CheckpointPages { get; init; } = 1000;

    /// <summary>
    /// How long SQLite waits for a lock held by a connection outside this program, such as a person's <c>sqlite3</c>. Default 5 s.
    /// </summary>
    public TimeSpan BusyTimeout { get; init; } = TimeSpan.FromSeconds(5);

    internal string DatabasePath => Path.Combine(Directory, FileName);
}
