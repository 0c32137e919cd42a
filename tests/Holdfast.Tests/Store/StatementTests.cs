using System.Text;
using Holdfast.Engine.Store;

namespace Holdfast.Tests.Store;

public sealed class StatementTests : IAsyncLifetime
{
    private readonly TemporaryStore _temporary = TemporaryStore.Open(options =>
        options with
        {
            Migrations = [new Migration(1, "0001_values", "CREATE TABLE kept (id INTEGER PRIMARY KEY, value ANY) STRICT;")],
        }
    );

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _temporary.DisposeAsync();

    [Theory]
    [InlineData("")]
    [InlineData("plain")]
    [InlineData("naïve – 日本語 – 🎉")]
    [InlineData("with a \0 inside")]
    public async Task Text_comes_back_as_it_went(string text) =>
        Assert.Equal(text, await KeepAsync(insert => insert.Bind(1, text), query => query.Text(0)));

    [Fact]
    public async Task Long_text_comes_back_as_it_went()
    {
        string text = string.Concat(Enumerable.Repeat("日本語 and more. ", 10_000));

        Assert.Equal(text, await KeepAsync(insert => insert.Bind(1, text), query => query.Text(0)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public async Task Integers_come_back_as_they_went(long value) =>
        Assert.Equal(value, await KeepAsync(insert => insert.Bind(1, value), query => query.Int64(0)));

    [Fact]
    public async Task Blobs_come_back_as_they_went_and_an_empty_one_is_not_null()
    {
        byte[] blob = [.. Enumerable.Range(0, 3000).Select(i => (byte)i)];

        Assert.Equal(blob, await KeepAsync(insert => insert.Bind(1, blob), query => query.Blob(0)));
        Assert.Equal(Array.Empty<byte>(), await KeepAsync(insert => insert.Bind(1, Array.Empty<byte>()), query => query.BlobOrNull(0)));
        Assert.Equal("{}", await KeepAsync(insert => insert.BindUtf8(1, "{}"u8), query => query.Text(0)));
        Assert.Equal("{}", await KeepAsync(insert => insert.BindUtf8(1, "{}"u8), query => Encoding.UTF8.GetString(query.Bytes(0))));
        Assert.Equal("", await KeepAsync(insert => insert.BindUtf8(1, []), query => query.Text(0)));
    }

    [Fact]
    public async Task Null_is_told_from_a_value_and_never_read_as_one()
    {
        Assert.Null(await KeepAsync(insert => insert.Bind(1, null), query => query.TextOrNull(0)));
        Assert.Null(await KeepAsync(insert => insert.Bind(1, (long?)null), query => query.Int64OrNull(0)));
        Assert.Null(await KeepAsync(insert => insert.Bind(1, (byte[]?)null), query => query.BlobOrNull(0)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => KeepAsync(insert => insert.BindNull(1), query => query.Int64(0)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => KeepAsync(insert => insert.BindNull(1), query => query.Text(0)));
    }

    [Fact]
    public async Task Booleans_and_doubles_come_back_as_they_went()
    {
        Assert.True(await KeepAsync(insert => insert.Bind(1, true), query => query.Bool(0)));
        Assert.Equal(0.1, await KeepAsync(insert => insert.Bind(1, 0.1), query => query.Double(0)));
    }

    [Fact]
    public async Task Execute_tells_the_changed_rows_and_is_ready_to_run_again() =>
        Assert.Equal(
            [1, 2, 3],
            await _temporary.Store.WriteAsync(
                tx =>
                {
                    var rowIds = new List<long>();
                    using Statement insert = tx.Prepare("INSERT INTO kept (value) VALUES (?1)");
                    for (int i = 0; i < 3; i++)
                    {
                        rowIds.Add(insert.Bind(1, i).ExecuteInsert());
                    }

                    using Statement update = tx.Prepare("UPDATE kept SET value = 'x' WHERE id > ?1").Bind(1, 1);
                    Assert.Equal(2, update.Execute());
                    return rowIds;
                },
                TemporaryStore.Cancel
            )
        );

    [Fact]
    public async Task The_same_text_may_be_in_use_twice_at_once() =>
        Assert.Equal(
            ["1:1", "1:2", "2:1", "2:2"],
            await _temporary.Store.WriteAsync(
                tx =>
                {
                    const string Numbers = "SELECT column1 FROM (VALUES (1), (2))";
                    var pairs = new List<string>();
                    using Statement outer = tx.Prepare(Numbers);
                    while (outer.Step())
                    {
                        using Statement inner = tx.Prepare(Numbers);
                        while (inner.Step())
                        {
                            pairs.Add($"{outer.Int64(0)}:{inner.Int64(0)}");
                        }
                    }

                    return pairs;
                },
                TemporaryStore.Cancel
            )
        );

    [Fact]
    public void A_finished_query_does_not_start_over() =>
        _temporary.Store.Read(reader =>
        {
            using Statement query = reader.Prepare("SELECT 1");
            Assert.True(query.Step());
            Assert.False(query.Step());
            Assert.False(query.Step());
            return 0;
        });

    [Fact]
    public void A_parameter_not_bound_is_null_and_never_the_last_users_value() =>
        _temporary.Store.Read(reader =>
        {
            using (Statement first = reader.Prepare("SELECT ?1").Bind(1, "secret"))
            {
                Assert.True(first.Step());
            }

            using Statement second = reader.Prepare("SELECT ?1");
            Assert.True(second.Step());
            Assert.True(second.IsNull(0));
            return 0;
        });

    [Fact]
    public void A_statement_kept_beyond_its_query_is_refused()
    {
        Statement kept = _temporary.Store.Read(reader => reader.Prepare("SELECT 1"));

        Assert.Throws<ObjectDisposedException>(() => kept.Step());
    }

    [Fact]
    public void Two_statements_in_one_text_are_refused() =>
        Assert.Throws<ArgumentException>(() => _temporary.Store.Read(reader => reader.Prepare("SELECT 1; SELECT 2")));

    [Fact]
    public void Wrong_sql_is_named_in_the_error()
    {
        StoreException error = Assert.Throws<StoreException>(() => _temporary.Store.Read(reader => reader.Prepare("SELEC 1")));

        Assert.Contains("SELEC 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_built_from_values_do_not_pile_up() =>
        _temporary.Store.Read(reader =>
        {
            for (int i = 0; i < 2000; i++)
            {
                using Statement query = reader.Prepare($"SELECT {i}");
                Assert.True(query.Step());
                Assert.Equal(i, query.Int64(0));
            }

            return 0;
        });

    private Task<T> KeepAsync<T>(Func<Statement, Statement> bind, Func<Statement, T> read) =>
        _temporary.Store.WriteAsync(
            tx =>
            {
                using Statement insert = bind(tx.Prepare("INSERT INTO kept (value) VALUES (?1)"));
                long id = insert.ExecuteInsert();
                using Statement query = tx.Prepare("SELECT value FROM kept WHERE id = ?1").Bind(1, id);
                Assert.True(query.Step());
                return read(query);
            },
            TemporaryStore.Cancel
        );
}
