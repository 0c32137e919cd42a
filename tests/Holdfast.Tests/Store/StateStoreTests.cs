using Holdfast.Engine;
using Holdfast.Engine.Store;

namespace Holdfast.Tests.Store;

public class StateStoreTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_change_gives_its_result_and_is_there_after_reopening()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();

        long id = await temporary.InsertAsync("first");
        await temporary.ReopenAsync();

        Assert.Equal(1, id);
        Assert.Equal(["first"], temporary.Names());
    }

    [Fact]
    public async Task Many_callers_share_commits_and_none_is_lost()
    {
        await using TemporaryStore temporary = TemporaryStore.Open(options => options with { QueueCapacity = 64, BatchMax = 16 });

        await Parallel.ForAsync(
            0,
            50,
            Cancel,
            async (caller, _) =>
            {
                for (int i = 0; i < 40; i++)
                {
                    await temporary.InsertAsync($"{caller}/{i}");
                }
            }
        );

        Assert.Equal(2000, temporary.Names().Length);
    }

    [Fact]
    public async Task Changes_that_gather_behind_a_slow_one_run_in_one_batch_in_order()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        await using var gate = new WriterGate(temporary.Store);

        Task<long>[] writes = [.. Enumerable.Range(0, 10).Select(i => temporary.InsertAsync($"{i}"))];
        await gate.OpenAsync();

        Assert.Equal(Enumerable.Range(1, 10).Select(i => (long)i), await Task.WhenAll(writes));
    }

    [Fact]
    public async Task A_change_that_throws_is_rolled_back_alone_and_its_caller_gets_the_exception()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        await using var gate = new WriterGate(temporary.Store);

        Task<long> before = temporary.InsertAsync("before");
        Task<int> bad = temporary.Store.WriteAsync<int>(
            tx =>
            {
                _ = TemporaryStore.Insert(tx, "half done");
                throw new FormatException("on purpose");
            },
            Cancel
        );
        Task<long> after = temporary.InsertAsync("after");
        await gate.OpenAsync();

        _ = await before;
        _ = await after;
        Assert.Equal("on purpose", (await Assert.ThrowsAsync<FormatException>(() => bad)).Message);
        Assert.Equal(["before", "after"], temporary.Names());
    }

    [Fact]
    public async Task A_lone_change_that_throws_leaves_nothing()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();

        await Assert.ThrowsAsync<FormatException>(() =>
            temporary.Store.WriteAsync<int>(
                tx =>
                {
                    _ = TemporaryStore.Insert(tx, "half done");
                    throw new FormatException();
                },
                Cancel
            )
        );

        Assert.Empty(temporary.Names());
        Assert.Equal(1, await temporary.InsertAsync("next"));
    }

    [Fact]
    public async Task A_duplicate_key_is_named_as_one_and_concerns_its_own_change_only()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        await using var gate = new WriterGate(temporary.Store);

        Task<long> first = temporary.InsertAsync("same");
        Task<long> second = temporary.InsertAsync("same");
        Task<long> third = temporary.InsertAsync("other");
        await gate.OpenAsync();

        _ = await first;
        StoreException error = await Assert.ThrowsAsync<StoreException>(() => second);
        Assert.Equal(ErrorCodes.StoreConstraint, error.Code);
        Assert.True(error.IsDuplicateKey);
        _ = await third;
        Assert.Equal(["same", "other"], temporary.Names());
    }

    [Fact]
    public async Task Effects_run_in_commit_order_and_never_for_what_was_rolled_back()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        var ran = new List<string>(); // Effects run one at a time; read after the store is closed, which waits for them.
        await using (var gate = new WriterGate(temporary.Store))
        {
            var writes = new List<Task>();
            for (int i = 0; i < 20; i++)
            {
                int number = i;
                writes.Add(
                    temporary.Store.WriteAsync(
                        tx =>
                        {
                            tx.OnCommitted(() => ran.Add($"{number}a"));
                            tx.OnCommitted(() => ran.Add($"{number}b"));
                            if (number % 3 == 0)
                            {
                                throw new FormatException();
                            }
                        },
                        Cancel
                    )
                );
            }

            await gate.OpenAsync();
            await Task.WhenAll(writes).ContinueWith(_ => { }, Cancel, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        await temporary.ReopenAsync();

        Assert.Equal(Enumerable.Range(0, 20).Where(i => i % 3 != 0).SelectMany(i => new[] { $"{i}a", $"{i}b" }), ran);
    }

    [Fact]
    public async Task An_effect_runs_away_from_the_writer_after_the_commit_and_its_failure_stops_nothing()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        var seen = new TaskCompletionSource<string[]>(TaskCreationOptions.RunContinuationsAsynchronously);

        await temporary.Store.WriteAsync(
            tx =>
            {
                _ = TemporaryStore.Insert(tx, "committed");
                tx.OnCommitted(() => throw new InvalidOperationException("on purpose"));
                tx.OnCommitted(() => seen.SetResult(temporary.Names()));
            },
            Cancel
        );

        Assert.Equal(["committed"], await seen.Task.WaitAsync(Cancel));
    }

    [Fact]
    public async Task A_caller_continues_away_from_the_writer_thread()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();

        int writer = await temporary.Store.WriteAsync(_ => Environment.CurrentManagedThreadId, Cancel);

        Assert.NotEqual(writer, Environment.CurrentManagedThreadId);
    }

    [Fact]
    public async Task Cancellation_is_honoured_while_waiting_and_the_change_never_runs()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        using var cancellation = new CancellationTokenSource();
        await using (var gate = new WriterGate(temporary.Store))
        {
            Task<long> write = temporary.Store.WriteAsync(tx => TemporaryStore.Insert(tx, "cancelled"), cancellation.Token);
            await cancellation.CancelAsync();

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
            await gate.OpenAsync();
        }

        _ = await temporary.InsertAsync("later");
        Assert.Equal(["later"], temporary.Names());
    }

    [Fact]
    public async Task Cancellation_after_the_change_was_taken_is_too_late()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        using var cancellation = new CancellationTokenSource();

        long id = await temporary.Store.WriteAsync(
            tx =>
            {
                cancellation.Cancel();
                return TemporaryStore.Insert(tx, "kept");
            },
            cancellation.Token
        );

        Assert.Equal(1, id);
        Assert.Equal(["kept"], temporary.Names());
    }

    [Fact]
    public async Task Callers_wait_for_room_in_a_full_queue_and_may_give_up_there()
    {
        await using TemporaryStore temporary = TemporaryStore.Open(options => options with { QueueCapacity = 1 });
        using var cancellation = new CancellationTokenSource();
        Task<long> waiting;
        await using (var gate = new WriterGate(temporary.Store))
        {
            waiting = temporary.InsertAsync("has the room");
            Task<long> givesUp = temporary.Store.WriteAsync(tx => TemporaryStore.Insert(tx, "gives up"), cancellation.Token);
            Task<long> patient = temporary.InsertAsync("patient");

            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givesUp);
            Assert.False(patient.IsCompleted);
            await gate.OpenAsync();
            _ = await patient;
        }

        _ = await waiting;
        Assert.Equal(["has the room", "patient"], temporary.Names());
    }

    [Fact]
    public async Task A_reader_sees_only_what_is_committed_and_one_snapshot_throughout()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        _ = await temporary.InsertAsync("old");
        using var isInserted = new ManualResetEventSlim();
        using var mayCommit = new ManualResetEventSlim();
        Task write = temporary.Store.WriteAsync(
            tx =>
            {
                _ = TemporaryStore.Insert(tx, "new");
                isInserted.Set();
                mayCommit.Wait(Cancel);
            },
            Cancel
        );
        isInserted.Wait(Cancel);

        Assert.Equal(["old"], temporary.Names());
        string[][] views = await Task.Run(
            () =>
                temporary.Store.Read(reader =>
                {
                    string[] before = TemporaryStore.Names(reader);
                    mayCommit.Set();
#pragma warning disable xUnit1031, VSTHRD002 // The commit must happen while this snapshot is held.
                    write.Wait(Cancel);
#pragma warning restore xUnit1031, VSTHRD002
                    return new[] { before, TemporaryStore.Names(reader) };
                }),
            Cancel
        );

        Assert.Equal(["old"], views[0]);
        Assert.Equal(["old"], views[1]);
        Assert.Equal(["old", "new"], temporary.Names());
    }

    [Fact]
    public async Task A_reader_cannot_write()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();

        StoreException error = Assert.Throws<StoreException>(() =>
            temporary.Store.Read(reader =>
            {
                using Statement insert = reader.Prepare("INSERT INTO items (name) VALUES ('x')");
                return insert.Execute();
            })
        );

        Assert.Equal(ErrorCodes.StoreFailed, error.Code);
    }

    [Fact]
    public async Task A_query_inside_a_query_or_a_change_is_refused()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();

        Assert.Throws<InvalidOperationException>(() => temporary.Store.Read(_ => temporary.Names()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => temporary.Store.WriteAsync(_ => temporary.Names(), Cancel));
    }

    [Fact]
    public async Task More_queries_than_connections_all_get_their_answer()
    {
        await using TemporaryStore temporary = TemporaryStore.Open(options => options with { ReaderMax = 2 });
        _ = await temporary.InsertAsync("one");

        string[][] answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(temporary.Names, Cancel)));

        Assert.All(answers, names => Assert.Equal(["one"], names));
    }

    [Fact]
    public async Task A_full_disk_fails_the_batch_with_its_code_and_the_store_goes_on_when_there_is_room()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        await SetPagesMaxAsync(temporary.Store, 10);
        byte[] large = new byte[100_000];
        var effects = new List<string>();
        Task<long> small;
        Task<long> tooLarge;
        await using (var gate = new WriterGate(temporary.Store))
        {
            small = temporary.Store.WriteAsync(
                tx =>
                {
                    tx.OnCommitted(() => effects.Add("never"));
                    return TemporaryStore.Insert(tx, "small");
                },
                Cancel
            );
            tooLarge = temporary.Store.WriteAsync(tx => TemporaryStore.Insert(tx, "large", large), Cancel);
            await gate.OpenAsync();
        }

        Assert.Equal(ErrorCodes.DiskFull, (await Assert.ThrowsAsync<StoreException>(() => tooLarge)).Code);
        Assert.Equal(ErrorCodes.DiskFull, (await Assert.ThrowsAsync<StoreException>(() => small)).Code);
        Assert.Empty(temporary.Names());

        await SetPagesMaxAsync(temporary.Store, 1_000_000);
        _ = await temporary.Store.WriteAsync(tx => TemporaryStore.Insert(tx, "large", large), Cancel);
        Assert.Equal(["large"], temporary.Names());
        await temporary.ReopenAsync();
        Assert.Empty(effects);
        Assert.Empty(temporary.Store.CheckIntegrity());
    }

    [Fact]
    public async Task A_change_that_swallows_a_full_disk_is_not_committed()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        await SetPagesMaxAsync(temporary.Store, 10);

        Task<bool> write = temporary.Store.WriteAsync(
            tx =>
            {
                try
                {
                    _ = TemporaryStore.Insert(tx, "large", new byte[100_000]);
                }
                catch (StoreException)
                {
                    // As a careless change would.
                }

                return true;
            },
            Cancel
        );

        Assert.Equal(ErrorCodes.DiskFull, (await Assert.ThrowsAsync<StoreException>(() => write)).Code);
    }

    [Fact]
    public async Task A_change_that_ends_the_transaction_is_refused()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();

        StoreException error = await Assert.ThrowsAsync<StoreException>(() =>
            temporary.Store.WriteAsync(
                tx =>
                {
                    _ = TemporaryStore.Insert(tx, "x");
                    using Statement rollback = tx.Prepare("ROLLBACK");
                    _ = rollback.Execute();
                },
                Cancel
            )
        );

        Assert.Equal(ErrorCodes.StoreFailed, error.Code);
        Assert.Equal(1, await temporary.InsertAsync("next"));
    }

    [Fact]
    public async Task Closing_commits_what_waits_and_refuses_what_comes_later()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        StateStore closed = temporary.Store;
        Task<long>[] writes = [.. Enumerable.Range(0, 100).Select(i => temporary.InsertAsync($"{i}"))];

        await temporary.ReopenAsync();

        _ = await Task.WhenAll(writes);
        Assert.Equal(100, temporary.Names().Length);
        StoreException error = await Assert.ThrowsAsync<StoreException>(() =>
            closed.WriteAsync(tx => TemporaryStore.Insert(tx, "late"), Cancel)
        );
        Assert.Equal(ErrorCodes.StoreClosed, error.Code);
        Assert.Equal(ErrorCodes.StoreClosed, Assert.Throws<StoreException>(() => closed.Read(TemporaryStore.Names)).Code);
    }

    [Fact]
    public async Task A_clean_close_leaves_no_write_ahead_log()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        _ = await temporary.InsertAsync("one");
        _ = temporary.Names();

        await temporary.Store.DisposeAsync();

        Assert.Equal([Path.Combine(temporary.Directory, "holdfast.db")], Directory.GetFiles(temporary.Directory));
    }

    [Fact]
    public async Task The_write_ahead_log_is_folded_back_when_it_grows()
    {
        await using TemporaryStore temporary = TemporaryStore.Open(options => options with { CheckpointPages = 20 });

        for (int i = 0; i < 50; i++)
        {
            _ = await temporary.Store.WriteAsync(tx => TemporaryStore.Insert(tx, $"{i}", new byte[20_000]), Cancel);
        }

        long walBytes = new FileInfo(Path.Combine(temporary.Directory, "holdfast.db-wal")).Length;
        Assert.InRange(walBytes, 1, 60 * 4120);
        Assert.Equal(50, temporary.Names().Length);
    }

    [Fact]
    public async Task The_database_belongs_to_its_owner_only()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();
        _ = await temporary.InsertAsync("one");

        Assert.All(
            Directory.GetFiles(temporary.Directory),
            file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file))
        );
    }

    [Fact]
    public async Task Commits_are_synced_and_only_the_writer_checkpoints()
    {
        await using TemporaryStore temporary = TemporaryStore.Open();

        Assert.Equal("wal", await temporary.Store.WriteAsync(tx => Pragma(tx, "journal_mode"), Cancel));
        Assert.Equal("2", await temporary.Store.WriteAsync(tx => Pragma(tx, "synchronous"), Cancel));
        Assert.Equal("1", await temporary.Store.WriteAsync(tx => Pragma(tx, "foreign_keys"), Cancel));
        Assert.Equal("0", temporary.Store.Read(reader => Pragma(reader, "wal_autocheckpoint")));
        Assert.Equal("1", temporary.Store.Read(reader => Pragma(reader, "query_only")));
    }

    /// <summary>
    /// Goal: whatever mix of good, throwing and clashing changes shares a batch, exactly the good ones are kept, each with its effect, in
    /// order. Method: seeded random runs against a list as the model.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Any_mix_of_good_and_bad_changes_keeps_exactly_the_good_ones(int seed)
    {
        var random = new Random(seed);
        await using TemporaryStore temporary = TemporaryStore.Open(options => options with { BatchMax = 7 });
        var model = new List<string>();
        var effects = new List<string>(); // Read after the store is closed, which waits for them.
        for (int round = 0; round < 10; round++)
        {
            await using var gate = new WriterGate(temporary.Store);
            var good = new List<Task>();
            var bad = new List<Task>();
            for (int i = 0; i < random.Next(1, 20); i++)
            {
                bool isClash = model.Count > 0 && random.Next(4) == 0;
                bool isThrow = random.Next(4) == 0;
                string name = isClash ? model[random.Next(model.Count)] : $"{round}.{i}";
                Task change = temporary.Store.WriteAsync(
                    tx =>
                    {
                        tx.OnCommitted(() => effects.Add(name));
                        _ = TemporaryStore.Insert(tx, name + " on the way");
                        using Statement rename = tx.Prepare("UPDATE items SET name = ?1 WHERE name = ?2")
                            .Bind(1, name)
                            .Bind(2, name + " on the way");
                        _ = rename.Execute();
                        if (isThrow)
                        {
                            throw new FormatException();
                        }
                    },
                    Cancel
                );
                if (isClash || isThrow)
                {
                    bad.Add(change);
                }
                else
                {
                    good.Add(change);
                    model.Add(name);
                }
            }

            await gate.OpenAsync();
            await Task.WhenAll(good);
            foreach (Task change in bad)
            {
                _ = await Assert.ThrowsAnyAsync<Exception>(() => change);
            }
        }

        Assert.Equal(model, temporary.Names());
        await temporary.ReopenAsync();
        Assert.Equal(model, effects);
    }

    private static string Pragma(StoreReader reader, string name)
    {
        using Statement query = reader.Prepare($"PRAGMA {name}");
        Assert.True(query.Step());
        return query.Text(0);
    }

    private static Task SetPagesMaxAsync(StateStore store, int pages) =>
        store.WriteAsync(
            tx =>
            {
                using Statement pragma = tx.Prepare($"PRAGMA max_page_count = {pages}");
                _ = pragma.Step();
            },
            Cancel
        );
}
