using Holdfast.Engine.Store;

namespace Holdfast.Tests.Store;

/// <summary>A real store in a folder that goes away with the test, with one small table unless told otherwise.</summary>
internal sealed class TemporaryStore : IAsyncDisposable
{
    public static readonly Migration Items = new(
        1,
        "0001_items",
        "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, content BLOB) STRICT;"
    );

    private TemporaryStore(string directory, StateStore store)
    {
        Directory = directory;
        Store = store;
    }

    public string Directory { get; }

    public StateStore Store { get; private set; }

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static string NewDirectory() => System.IO.Directory.CreateTempSubdirectory("holdfast-store-").FullName;

    public static TemporaryStore Open(Func<StoreOptions, StoreOptions>? change = null)
    {
        string directory = NewDirectory();
        return new TemporaryStore(directory, OpenIn(directory, change));
    }

    public static StateStore OpenIn(string directory, Func<StoreOptions, StoreOptions>? change = null)
    {
        var options = new StoreOptions { Directory = directory, Migrations = [Items] };
        return StateStore.Open(change is null ? options : change(options), TimeProvider.System);
    }

    public Task<long> InsertAsync(string name) => Store.WriteAsync(tx => Insert(tx, name), Cancel);

    public static long Insert(StoreTransaction tx, string name, byte[]? content = null)
    {
        using Statement insert = tx.Prepare("INSERT INTO items (name, content) VALUES (?1, ?2)").Bind(1, name).Bind(2, content);
        return insert.ExecuteInsert();
    }

    public string[] Names() => Store.Read(Names);

    public static string[] Names(StoreReader reader)
    {
        var names = new List<string>();
        using Statement query = reader.Prepare("SELECT name FROM items ORDER BY id");
        while (query.Step())
        {
            names.Add(query.Text(0));
        }

        return [.. names];
    }

    public async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        Store = OpenIn(Directory);
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
