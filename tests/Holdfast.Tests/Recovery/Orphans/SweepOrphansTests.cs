using System.Net.Sockets;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Recovery;
using Holdfast.Engine.Recovery.Orphans;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;
using Holdfast.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Recovery.Orphans;

/// <summary>What a sweep takes for an orphan, what it leaves alone, and how it deletes.</summary>
public sealed class SweepOrphansTests : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hf-orphans-").FullName;
    private readonly FakeClock _clock = new();
    private readonly OrphanOptions _options = new();
    private readonly DataDirectory _directory;
    private readonly StateStore _store;
    private readonly AttemptFolders _folders;
    private readonly LiveAttempts _live = new();
    private readonly SweepOrphans _sweep;
    private readonly TrashFolder _trash;
    private readonly ExecutionLedger _ledger;

    public SweepOrphansTests()
    {
        // Whatever this test makes is an hour old.
        _clock.Turn(TimeProvider.System.GetUtcNow() - _clock.GetUtcNow() + TimeSpan.FromHours(1));
        _directory = DataDirectory.Open(new DataDirectoryPaths(Path.Combine(_root, "d")), static _ => null);
        _store = StateStore.Open(new StoreOptions { Directory = _directory.Paths.Root }, TimeProvider.System);
        _folders = new AttemptFolders(_directory.Paths.Attempts, _directory.Sockets);
        _trash = new TrashFolder(_directory.Paths.Trash, _options.Grace, _clock);
        var feed = new FeedLog(_store, _clock);
        _ledger = new ExecutionLedger(feed, new EngineMeters(), "here", _clock);
        var attempts = new AttemptRecovery(_store, null!, null!, null!, null!, _folders, _clock, NullLogger.Instance);
        _sweep = new SweepOrphans(
            _store,
            feed,
            new OrphanSearch(_store, _directory, _folders, _live, attempts, _options, _clock),
            _trash,
            attempts,
            _options,
            _clock,
            NullLogger.Instance
        );
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_house_in_order_has_no_orphans()
    {
        ClaimedJob job = await ClaimAsync();
        _live.Add(new LiveAttempt(job.Attempt, _folders.Of(job.Attempt.Id)));
        Directory.CreateDirectory(_folders.Of(job.Attempt.Id));

        Assert.Empty(await _sweep.RunAsync(isDryRun: true, Cancel));
    }

    [Fact]
    public async Task The_marks_of_a_deleted_kernels_clients_are_deleted_and_nothing_else_in_their_folder()
    {
        string gone = Folder("6f1f2b7f-5a5c-4d0e-9c3f-0b9d1c583a10", "0011.mark");
        string strange = Folder("6f1f2b7f-5a5c-4d0e-9c3f-0b9d1c583a11", "notes.txt");

        Orphan swept = Assert.Single(await SweepAsync());
        Assert.Equal((OrphanKind.ClientMarks, gone), (swept.Kind, swept.Subject));
        Assert.Equal((false, true), (Directory.Exists(gone), Directory.Exists(strange)));

        string Folder(string kernel, string file)
        {
            string folder = Directory.CreateDirectory(Path.Combine(_directory.Paths.Clients, kernel)).FullName;
            File.WriteAllText(Path.Combine(folder, file), "");
            return folder;
        }
    }

    [Fact]
    public async Task An_attempt_that_the_store_does_not_know_is_set_aside_and_deleted_when_the_grace_is_over()
    {
        string folder = MakeFolder();

        Orphan dry = Assert.Single(await _sweep.RunAsync(isDryRun: true, Cancel));
        Assert.Equal((OrphanKind.AttemptFolder, OrphanAction.SetAside, folder), (dry.Kind, dry.Action, dry.Subject));
        Assert.True(Directory.Exists(folder));

        await SweepAsync();
        Assert.False(Directory.Exists(folder));
        Assert.Single(Directory.EnumerateFileSystemEntries(_directory.Paths.Trash));

        _clock.Turn(_options.Grace - TimeSpan.FromMinutes(1));
        Assert.Empty(await _sweep.RunAsync(isDryRun: true, Cancel));
        _clock.Turn(TimeSpan.FromMinutes(2));
        Assert.Equal(OrphanKind.Discarded, Assert.Single(await SweepAsync()).Kind);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Paths.Trash));
    }

    [Fact]
    public async Task A_folder_that_retention_let_go_and_could_not_remove_is_set_aside_when_its_lock_is_free()
    {
        ClaimedJob job = await ClaimAsync();
        var files = new AttemptFiles(Directory.CreateDirectory(_folders.Of(job.Attempt.Id)).FullName);
        await File.WriteAllTextAsync(files.Spec, "{}", Cancel);
        await _store.WriteAsync(
            static t =>
            {
                using Statement over = t.Prepare("UPDATE attempts SET ended_at = 1, journal_removed_at = 2");
                over.Execute();
            },
            Cancel
        );

        using (FileLock.TryAcquire(files.Lock)!)
        {
            Assert.Empty(await SweepAsync());
        }

        Assert.Equal((OrphanKind.AttemptFolder, OrphanAction.SetAside), KindAndAction(await SweepAsync()));
        Assert.False(Directory.Exists(files.Directory));
    }

    [Fact]
    public async Task Links_are_removed_and_never_followed()
    {
        string kept = Path.Combine(_root, "kept");
        Directory.CreateDirectory(kept);
        await File.WriteAllTextAsync(Path.Combine(kept, "thesis"), "x", Cancel);
        string folder = MakeFolder();
        Directory.CreateDirectory(Path.Combine(folder, "journal"));
        Directory.CreateSymbolicLink(Path.Combine(folder, "journal", "link"), kept);
        string link = Path.Combine(_directory.Paths.Attempts, Ulid.New(_clock));
        Directory.CreateSymbolicLink(link, kept);

        IReadOnlyList<Orphan> found = await SweepAsync();
        Assert.Equal([OrphanKind.AttemptFolder, OrphanKind.Foreign], found.Select(static o => o.Kind).Order());
        _clock.Turn(_options.Grace + TimeSpan.FromMinutes(1));
        await SweepAsync();

        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Paths.Trash));
        Assert.True(File.Exists(Path.Combine(kept, "thesis")));
        Assert.NotNull(new FileInfo(link).LinkTarget);
    }

    [Theory]
    [InlineData("notes")]
    [InlineData("01kcq8v6t0e9m3n5p7r9s1v3xU")]
    public async Task What_is_not_named_as_an_attempt_is_foreign_and_stays(string name)
    {
        string folder = Path.Combine(_directory.Paths.Attempts, name);
        Directory.CreateDirectory(folder);

        Orphan found = Assert.Single(await SweepAsync());

        Assert.Equal((OrphanKind.Foreign, OrphanAction.None), (found.Kind, found.Action));
        Assert.True(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_folder_with_something_in_it_that_no_attempt_has_is_foreign_and_stays()
    {
        string folder = MakeFolder();
        await File.WriteAllTextAsync(Path.Combine(folder, "my-results.csv"), "x", Cancel);

        Assert.Equal(OrphanKind.Foreign, Assert.Single(await SweepAsync()).Kind);
        Assert.True(Directory.Exists(folder));
    }

    [Fact]
    public async Task What_is_young_is_left_alone_and_so_is_what_comes_from_the_future()
    {
        Directory.SetLastWriteTimeUtc(MakeFolder(), _clock.GetUtcNow().UtcDateTime - TimeSpan.FromMinutes(1));
        Directory.SetLastWriteTimeUtc(MakeFolder(), _clock.GetUtcNow().UtcDateTime + TimeSpan.FromDays(400));

        Assert.Empty(await SweepAsync());
    }

    [Fact]
    public async Task A_supervisor_without_a_row_is_marked_and_asked_to_end_only_after_the_grace()
    {
        string folder = MakeFolder();
        using FileLock held = FileLock.TryAcquire(new AttemptFiles(folder).Lock)!;

        Assert.Equal((OrphanKind.Supervisor, OrphanAction.Mark), KindAndAction(await SweepAsync()));
        _clock.Turn(_options.Grace - TimeSpan.FromMinutes(1));
        Assert.Equal((OrphanKind.Supervisor, OrphanAction.None), KindAndAction(await SweepAsync()));
        _clock.Turn(TimeSpan.FromMinutes(2));
        Assert.Equal((OrphanKind.Supervisor, OrphanAction.Stop), KindAndAction(await _sweep.RunAsync(isDryRun: true, Cancel)));

        // Nothing in the folder proves who that is: it is left alone, and said so.
        Assert.Equal((OrphanKind.Supervisor, OrphanAction.None), KindAndAction(await SweepAsync()));
        Assert.True(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_pid_that_was_given_to_somebody_else_is_never_asked_to_end()
    {
        string folder = MakeFolder();
        var files = new AttemptFiles(folder);
        using FileLock held = FileLock.TryAcquire(files.Lock)!;
        ProcessIdentity now = ProcessIdentity.Current;
        await File.WriteAllBytesAsync(
            files.Supervisor,
            new SupervisorRecord
            {
                Protocol = 1,
                Version = "1",
                Process = now with { StartTicks = now.StartTicks - 1 },
                Nonce = "n",
                Socket = "/nowhere",
                Mode = AttemptSpec.KindJob,
            }.Write(),
            Cancel
        );
        await SweepAsync();
        _clock.Turn(_options.Grace + TimeSpan.FromMinutes(1));

        Orphan found = Assert.Single(await SweepAsync());

        Assert.Contains("does not live", found.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_at_which_nobody_listens_goes_and_one_at_which_somebody_does_stays()
    {
        string dead = Path.Combine(_directory.Sockets, "abcdefghjkmn.sock");
        string alive = Path.Combine(_directory.Sockets, "bbcdefghjkmn.sock");
        string kernel = Path.Combine(_directory.Sockets, "cbcdefghjkmn.k-3");
        string plain = Path.Combine(_directory.Sockets, "dbcdefghjkmn.sock");
        string foreign = Path.Combine(_directory.Sockets, "other");
        using (Listen(dead, keepsFile: true))
        using (Listen(kernel, keepsFile: true)) { }

        using Socket listening = Listen(alive);
        await File.WriteAllTextAsync(plain, "", Cancel);
        await File.WriteAllTextAsync(foreign, "", Cancel);

        IReadOnlyList<Orphan> found = await SweepAsync();

        Assert.Equal(
            [dead, kernel],
            found.Where(static o => o.Action == OrphanAction.Delete).Select(static o => o.Subject).Order(StringComparer.Ordinal)
        );
        Assert.Equal([alive, plain, foreign], Directory.EnumerateFiles(_directory.Sockets).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_row_that_nothing_in_the_house_knows_of_is_found_and_one_that_somebody_looks_after_is_not()
    {
        ClaimedJob forgotten = await ClaimAsync();
        ClaimedJob known = await ClaimAsync();
        _live.Add(new LiveAttempt(known.Attempt, _folders.Of(known.Attempt.Id)));
        Assert.Empty(await _sweep.RunAsync(isDryRun: true, Cancel)); // Too young to say.

        _clock.Turn(TimeSpan.FromHours(1));
        Orphan found = Assert.Single(await _sweep.RunAsync(isDryRun: true, Cancel));

        Assert.Equal((OrphanKind.Row, OrphanAction.Judge, forgotten.Attempt.Id.Value), (found.Kind, found.Action, found.Subject));
    }

    [Fact]
    public void A_deletion_that_was_interrupted_is_gone_on_with_and_a_clock_that_was_wrong_keeps_nothing_for_ever()
    {
        Directory.CreateDirectory(_directory.Paths.Trash);
        long now = _clock.GetUtcNow().ToUnixTimeSeconds();
        string due = Directory.CreateDirectory(Path.Combine(_directory.Paths.Trash, $"{now - 5}-half-deleted")).FullName;
        Directory.CreateDirectory(Path.Combine(_directory.Paths.Trash, $"{now + 500_000_000}-from-the-future"));
        Directory.CreateDirectory(Path.Combine(_directory.Paths.Trash, "nobody-knows"));

        Assert.Equal([due], _trash.Due());
        _clock.Turn(_options.Grace + TimeSpan.FromSeconds(1));
        Assert.Equal(
            ["from-the-future", "half-deleted"],
            _trash.Due().Select(static p => Path.GetFileName(p)[11..]).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void A_server_with_a_shorter_grace_does_not_shorten_that_of_the_one_before()
    {
        Directory.CreateDirectory(_directory.Paths.Trash);
        string set = Directory
            .CreateDirectory(
                Path.Combine(_directory.Paths.Trash, $"{(_clock.GetUtcNow() + TimeSpan.FromDays(1)).ToUnixTimeSeconds()}-set-aside")
            )
            .FullName;

        Assert.Empty(new TrashFolder(_directory.Paths.Trash, TimeSpan.FromSeconds(1), _clock).Due());

        Assert.True(Directory.Exists(set));
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private static (OrphanKind Kind, OrphanAction Action) KindAndAction(IReadOnlyList<Orphan> found) =>
        (Assert.Single(found).Kind, found[0].Action);

    private static Socket Listen(string path, bool keepsFile = false)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        string bound = keepsFile ? path + ".b" : path; // Closing it removes the name that it was bound to, and only that.
        socket.Bind(new UnixDomainSocketEndPoint(bound));
        socket.Listen();
        if (keepsFile)
        {
            File.Move(bound, path);
        }

        return socket;
    }

    private Task<IReadOnlyList<Orphan>> SweepAsync() => _sweep.RunAsync(isDryRun: false, Cancel);

    private string MakeFolder()
    {
        var files = new AttemptFiles(Path.Combine(_directory.Paths.Attempts, Ulid.New(_clock)));
        Directory.CreateDirectory(files.Directory);
        File.WriteAllText(files.Spec, "{}");
        File.WriteAllText(files.Lock, "");
        return files.Directory;
    }

    private async Task<ClaimedJob> ClaimAsync()
    {
        await _store.WriteAsync(
            t =>
                _ledger.Add(
                    t,
                    new Execution
                    {
                        Sequence = 0,
                        CreatedAt = 0,
                        Id = new ExecutionId(Ulid.New(_clock)),
                        Kind = ExecutionKind.Job,
                        State = ExecutionState.Queued,
                        Queue = "default",
                    },
                    "{}"
                ),
            Cancel
        );
        return (await _store.WriteAsync(t => _ledger.ClaimJobs(t, 1), Cancel)).Single();
    }
}
