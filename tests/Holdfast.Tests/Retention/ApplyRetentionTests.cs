using Holdfast.Engine;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Jobs;
using Holdfast.Engine.Recovery.Orphans;
using Holdfast.Engine.Retention;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Processes;
using Holdfast.Tests.Executions;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Retention;

/// <summary>What is deleted by its age, and what never is.</summary>
public sealed class ApplyRetentionTests : IAsyncDisposable
{
    private readonly TemporaryLedger _house = new();
    private readonly AttemptFolders _folders;
    private readonly TrashFolder _trash;

    public ApplyRetentionTests()
    {
        _folders = new AttemptFolders(Path.Combine(_house.Directory, "attempts"), _house.Directory);
        _trash = new TrashFolder(Path.Combine(_house.Directory, "trash"), TimeSpan.FromDays(1), _house.Clock);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_over_goes_when_it_is_old_with_its_key_its_attempts_and_its_folder()
    {
        string id = await SubmitAsync("key");
        await EndAsync();
        string folder = Assert.Single(Directory.GetDirectories(Path.Combine(_house.Directory, "attempts")));
        _house.Clock.Turn(TimeSpan.FromDays(89));
        Assert.Equal(0, (await ApplyAsync()).Executions);
        Assert.True(Directory.Exists(folder));

        _house.Clock.Turn(TimeSpan.FromDays(2));
        RetentionResult result = await ApplyAsync();

        Assert.Equal((1, 1), (result.Executions, result.Attempts));
        Assert.Equal(
            0,
            Count("SELECT count(*) FROM executions") + Count("SELECT count(*) FROM idempotency") + Count("SELECT count(*) FROM attempts")
        );
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_house.Directory, "attempts")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_house.Directory, "trash")));
        Assert.NotEqual(id, await SubmitAsync("key")); // The key is free again.
    }

    [Fact]
    public async Task What_waits_runs_or_holds_a_lock_stays_however_old_it_is()
    {
        await SubmitAsync("running");
        await _house.ClaimAsync(1);
        await SubmitAsync("queued");
        await SubmitAsync("ended but in a line");
        await ChangeAsync("INSERT INTO lock_entries (execution_id, entered_at) SELECT id, 1 FROM executions ORDER BY seq DESC LIMIT 1");
        await ChangeAsync("UPDATE executions SET state = 'failed', finished_at = 1 WHERE seq = (SELECT max(seq) FROM executions)");
        await SubmitAsync("ended with an open attempt");
        await ChangeAsync(
            "INSERT INTO attempts (id, host, boot_id, execution_id, nonce, created_at) SELECT 'a', 'h', 'b', id, 'n', 1 FROM executions ORDER BY seq DESC LIMIT 1"
        );
        await ChangeAsync("UPDATE executions SET state = 'failed', finished_at = 1 WHERE seq = (SELECT max(seq) FROM executions)");
        _house.Clock.Turn(TimeSpan.FromDays(4000));

        RetentionResult result = await ApplyAsync();

        Assert.Equal((0, 0), (result.Executions, result.Attempts));
        Assert.Equal(4, Count("SELECT count(*) FROM executions"));
    }

    [Fact]
    public async Task Cells_of_a_run_that_is_open_stay_and_so_does_the_kernel_of_a_session()
    {
        await ChangeAsync(
            "INSERT INTO runs (id, host, path, state, kernel_id, owns_kernel, stop_on_error, created_at) VALUES ('r', 'h', 'p', 'running', 'k', 0, 0, 1)"
        );
        await ChangeAsync(
            "INSERT INTO executions (id, host, kind, state, queue, request, created_at, finished_at, run_id) VALUES ('c', 'h', 'cell', 'succeeded', 'default', '{}', 1, 1, 'r')"
        );
        await ChangeAsync(
            "INSERT INTO kernels (id, host, spec, state, cwd, created_at, last_activity) VALUES ('k', 'h', 's', 'dead', '/', 1, 1), ('other', 'h', 's', 'dead', '/', 1, 1)"
        );
        await ChangeAsync(
            "INSERT INTO sessions (id, host, path, name, type, kernel_id, created_at) VALUES ('s', 'h', 'p', 'n', 'notebook', 'k', 1)"
        );

        await ChangeAsync("INSERT INTO idempotency (key, body_hash, execution_id, created_at) VALUES ('key of the run', x'00', 'r', 1)");

        RetentionResult result = await ApplyAsync();
        Assert.Equal((0, 0, 1), (result.Executions, result.Runs, result.Kernels));
        Assert.Equal(1, Count("SELECT count(*) FROM idempotency"));

        await ChangeAsync("UPDATE runs SET finished_at = 1");
        await ChangeAsync("DELETE FROM sessions");
        result = await ApplyAsync();
        Assert.Equal((1, 1, 1), (result.Executions, result.Runs, result.Kernels));
        Assert.Equal(0, Count("SELECT count(*) FROM idempotency"));
    }

    [Fact]
    public async Task What_somebody_is_still_to_be_told_of_stays_and_what_was_told_goes_with_it()
    {
        string id = await SubmitAsync("key");
        await EndAsync();
        await ChangeAsync(
            $"INSERT INTO callbacks (id, host, kind, subject_id, lane, schedule, state, created_at) VALUES ('c', 'h', 'execution', '{id}', 'l', '[]', 'pending', 1)"
        );
        await ChangeAsync("INSERT INTO callback_attempts (callback_seq, number, started_at) SELECT seq, 1, 1 FROM callbacks");
        _house.Clock.Turn(TimeSpan.FromDays(91));
        Assert.Equal(0, (await ApplyAsync()).Executions);

        await ChangeAsync("UPDATE callbacks SET state = 'parked'");
        Assert.Equal(1, (await ApplyAsync()).Executions);
        Assert.Equal(0, Count("SELECT count(*) FROM callbacks") + Count("SELECT count(*) FROM callback_attempts"));
    }

    [Fact]
    public async Task A_lock_that_is_held_keeps_its_folder_whatever_the_store_says()
    {
        await SubmitAsync("key");
        await EndAsync();
        string folder = Assert.Single(Directory.GetDirectories(Path.Combine(_house.Directory, "attempts")));
        _house.Clock.Turn(TimeSpan.FromDays(91));
        using FileLock held = FileLock.TryAcquire(new AttemptFiles(folder).Lock)!;

        await ApplyAsync();

        Assert.True(Directory.Exists(folder));
    }

    [Fact]
    public async Task Output_may_go_before_its_execution_and_whoever_asks_for_it_is_told()
    {
        string id = await SubmitAsync("key");
        await EndAsync();
        _house.Clock.Turn(TimeSpan.FromDays(10));
        var read = new ReadOutput(_house.Store, new LiveAttempts(), _folders);
        read.Open(new ExecutionId(id), OutputStream.All, 0).Dispose();

        RetentionResult result = await ApplyAsync(new RetentionOptions { Output = TimeSpan.FromDays(7) });

        Assert.Equal((0, 1), (result.Executions, result.Journals));
        Assert.Equal(ExecutionState.Succeeded, _house.Find(new ExecutionId(id)).State);
        Assert.Equal(
            ErrorCodes.OutputGone,
            Assert.Throws<RefusedException>(() => read.Open(new ExecutionId(id), OutputStream.All, 0)).Code
        );
        Assert.Equal(0, (await ApplyAsync(new RetentionOptions { Output = TimeSpan.FromDays(7) })).Journals);
    }

    [Fact]
    public async Task Old_events_go_and_positions_go_on()
    {
        await SubmitAsync("old");
        await EndAsync();
        long last = _house.Feed.LastPosition;
        _house.Clock.Turn(TimeSpan.FromDays(31));

        await ApplyAsync();
        Assert.Equal([last], _house.Feed.ReadAfter(0, null, 100).Select(static e => e.Position));
        Assert.Equal(last, _house.Feed.FirstPosition);

        await SubmitAsync("new");
        Assert.Equal(last + 1, _house.Feed.LastPosition);
    }

    [Fact]
    public async Task More_than_a_batch_goes_in_many_and_zero_keeps_for_ever()
    {
        for (int n = 0; n < 450; n++)
        {
            await ChangeAsync(
                $"INSERT INTO executions (id, host, kind, state, queue, request, created_at, finished_at) VALUES ('{n}', 'h', 'job', 'succeeded', 'default', '{{}}', 1, {n})"
            );
        }

        var forEver = new RetentionOptions
        {
            Executions = TimeSpan.Zero,
            Output = TimeSpan.Zero,
            Events = TimeSpan.Zero,
        };
        Assert.Equal(new RetentionResult(0, 0, 0, 0, 0, 0), await ApplyAsync(forEver));
        Task<RetentionResult> applying = ApplyAsync();
        while (!applying.IsCompleted)
        {
            await Task.WhenAny(applying, _house.Clock.TimerSetAsync());
            _house.Clock.Turn(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(450, (await applying).Executions);
    }

    [Fact]
    public async Task The_file_becomes_smaller_again()
    {
        await ChangeAsync(
            "INSERT INTO feed (at, kind, subject, body) SELECT 1, 'k', 's', hex(randomblob(1000)) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 900) SELECT i FROM n)"
        );
        long before = Count("SELECT page_count FROM pragma_page_count");

        await ApplyAsync();

        Assert.True(Count("SELECT page_count FROM pragma_page_count") < before - 200);
    }

    [Fact]
    public async Task Statistics_outlive_what_they_are_of()
    {
        await SubmitAsync("one");
        await EndAsync();
        await SubmitAsync("two");
        await EndAsync();
        _house.Clock.Turn(TimeSpan.FromDays(91));
        await ApplyAsync();

        ExecutionStatistics statistics = Assert.Single(new GetStatistics(_house.Store).Run());

        Assert.Equal(("job", "succeeded", 2L), (statistics.Kind, statistics.State, statistics.Count));
    }

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    private Task<RetentionResult> ApplyAsync(RetentionOptions? options = null) =>
        new ApplyRetention(_house.Store, _folders, _trash, options ?? new RetentionOptions(), _house.Clock, NullLogger.Instance).RunAsync(
            Cancel
        );

    private async Task<string> SubmitAsync(string key) =>
        (
            await new SubmitJob(_house.Store, _house.Ledger, new CallbackCheck(new AddressGuard([])), _house.Meters, _house.Clock).RunAsync(
                new JobRequest { Argv = ["true"] },
                key,
                Cancel
            )
        )
            .Execution
            .Id
            .Value;

    /// <summary>The next in the queue is claimed, has a folder with a journal, and succeeds.</summary>
    private async Task EndAsync()
    {
        ClaimedJob job = (await _house.ClaimAsync(1)).Single();
        var files = new AttemptFiles(_folders.Of(job.Attempt.Id));
        Directory.CreateDirectory(files.Directory);
        using (JournalWriter journal = JournalWriter.Open(files.Journal, JournalOptions.Default))
        {
            journal.Append(JournalChannel.Stdout, "x"u8, 2);
        }

        await _house.AdvanceAsync(job, ExecutionCommand.ConfirmRunning);
        await _house.Store.WriteAsync(
            t =>
                _house.Ledger.Finish(
                    t,
                    job.Execution.Id,
                    job.Attempt.Id,
                    new Outcome(
                        ExecutionState.Succeeded,
                        0,
                        null,
                        "exited",
                        "It ended.",
                        _house.Clock.GetUtcNow().ToUnixTimeMilliseconds() * 1000
                    )
                ),
            Cancel
        );
    }

    private long Count(string sql) =>
        _house.Store.Read(reader =>
        {
            using Statement select = reader.Prepare(sql);
            return select.Step() ? select.Int64(0) : 0;
        });

    private Task ChangeAsync(string sql) =>
        _house.Store.WriteAsync(
            t =>
            {
                using Statement change = t.Prepare(sql);
                change.Execute();
            },
            Cancel
        );
}
