using Holdfast.Engine;
using Holdfast.Engine.Store;

namespace Holdfast.Tests.Store;

public sealed class MigratorTests : IDisposable
{
    private static readonly Migration First = new(
        1,
        "0001_first",
        "CREATE TABLE steps (number INTEGER NOT NULL) STRICT; INSERT INTO steps VALUES (1);"
    );
    private static readonly Migration Second = new(2, "0002_second", "INSERT INTO steps VALUES (2);");
    private static readonly Migration Third = new(3, "0003_third", "INSERT INTO steps VALUES (3);");

    private readonly string _directory = TemporaryStore.NewDirectory();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Each_migration_runs_once_and_in_order()
    {
        Assert.Equal(new long[] { 1 }, await StepsAfterOpeningAsync(First));
        Assert.Equal(new long[] { 1, 2, 3 }, await StepsAfterOpeningAsync(Third, Second, First));
        Assert.Equal(new long[] { 1, 2, 3 }, await StepsAfterOpeningAsync(First, Second, Third));
    }

    [Fact]
    public async Task A_newer_schema_is_refused_with_both_numbers_and_left_as_it_is()
    {
        _ = await StepsAfterOpeningAsync(First, Second, Third);

        StoreException error = Assert.Throws<StoreException>(() => Open(First, Second));

        Assert.Equal(ErrorCodes.SchemaTooNew, error.Code);
        Assert.Contains("schema version 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("up to 2", error.Message, StringComparison.Ordinal);
        Assert.Equal(new long[] { 1, 2, 3 }, await StepsAfterOpeningAsync(First, Second, Third));
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_the_schema_before_it()
    {
        _ = await StepsAfterOpeningAsync(First);
        var broken = new Migration(2, "0002_broken", "INSERT INTO steps VALUES (2); INSERT INTO nowhere VALUES (1);");

        StoreException error = Assert.Throws<StoreException>(() => Open(First, broken));

        Assert.Contains("0002_broken", error.Message, StringComparison.Ordinal);
        Assert.Equal(new long[] { 1, 2 }, await StepsAfterOpeningAsync(First, Second));
    }

    [Fact]
    public void A_migration_that_orphans_a_row_is_rolled_back()
    {
        var orphans = new Migration(
            1,
            "0001_orphans",
            "CREATE TABLE parents (id INTEGER PRIMARY KEY) STRICT; CREATE TABLE children (parent INTEGER REFERENCES parents) STRICT; INSERT INTO children VALUES (7);"
        );

        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => Open(orphans));

        Assert.Contains("children", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_migration_may_not_end_its_transaction() =>
        Assert.Throws<InvalidOperationException>(() =>
            Open(new Migration(1, "0001_commits", "CREATE TABLE t (a INTEGER) STRICT; COMMIT;"))
        );

    [Fact]
    public void A_gap_in_the_numbers_is_a_mistake_of_the_build() => Assert.Throws<InvalidOperationException>(() => Open(First, Third));

    [Fact]
    public async Task Foreign_keys_are_enforced_after_migrating()
    {
        var keys = new Migration(
            1,
            "0001_keys",
            "CREATE TABLE parents (id INTEGER PRIMARY KEY) STRICT; CREATE TABLE children (parent INTEGER REFERENCES parents) STRICT;"
        );
        await using StateStore store = Open(keys);

        StoreException error = await Assert.ThrowsAsync<StoreException>(() =>
            store.WriteAsync(
                tx =>
                {
                    using Statement insert = tx.Prepare("INSERT INTO children VALUES (7)");
                    return insert.Execute();
                },
                TestContext.Current.CancellationToken
            )
        );

        Assert.Equal(ErrorCodes.StoreConstraint, error.Code);
    }

    [Fact]
    public void A_file_that_is_no_database_is_named_as_damaged_and_left_as_it_is()
    {
        string file = Path.Combine(_directory, StoreOptions.FileName);
        File.WriteAllText(file, new string('x', 5000));

        StoreException error = Assert.Throws<StoreException>(() => Open(First));

        Assert.Equal(ErrorCodes.StoreCorrupt, error.Code);
        Assert.Equal(new string('x', 5000), File.ReadAllText(file));
        Assert.NotEmpty(IntegrityCheck.Run(_directory));
    }

    [Fact]
    public async Task Every_table_of_the_product_is_strict()
    {
        await using StateStore store = Open([.. Migration.Embedded]);

        string[] loose = store.Read(reader =>
        {
            var names = new List<string>();
            using Statement tables = reader.Prepare(
                "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite%'"
            );
            while (tables.Step())
            {
                names.Add(tables.Text(0));
            }

            return names.ToArray();
        });

        Assert.Empty(loose);
    }

    private StateStore Open(params Migration[] migrations) =>
        StateStore.Open(new StoreOptions { Directory = _directory, Migrations = migrations }, TimeProvider.System);

    private async Task<long[]> StepsAfterOpeningAsync(params Migration[] migrations)
    {
        await using StateStore store = Open(migrations);
        return store.Read(reader =>
        {
            var numbers = new List<long>();
            using Statement query = reader.Prepare("SELECT number FROM steps ORDER BY rowid");
            while (query.Step())
            {
                numbers.Add(query.Int64(0));
            }

            return numbers.ToArray();
        });
    }
}
