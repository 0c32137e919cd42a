using System.Text;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Retention;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Processes;
using Holdfast.Tests.Executions;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Retention;

/// <summary>Which journals are compressed, and when. Attempts' ends are the clock's; nothing here waits.</summary>
public sealed class CompressJournalsTests : IAsyncDisposable
{
    private readonly TemporaryLedger _house = new();
    private readonly AttemptFolders _folders;

    public CompressJournalsTests() => _folders = new AttemptFolders(Path.Combine(_house.Directory, "attempts"), _house.Directory);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync() => await _house.DisposeAsync();

    [Fact]
    public async Task An_ended_attempt_is_compressed_when_it_has_been_over_for_so_long_and_looked_at_once()
    {
        AttemptFiles early = await EndAsync();
        _house.Clock.Turn(TimeSpan.FromMinutes(40));
        AttemptFiles late = await EndAsync();
        Assert.Equal(0, (await CompressAsync()).Segments);

        _house.Clock.Turn(TimeSpan.FromMinutes(30));
        CompressionResult result = await CompressAsync();
        Assert.Equal(1, result.Segments);
        Assert.True(result.BytesAfter * 2 < result.BytesBefore);
        Assert.Equal((true, false), (IsPacked(early), IsPacked(late)));

        // It is not even looked for again.
        Directory.Delete(early.Directory, recursive: true);
        _house.Clock.Turn(TimeSpan.FromMinutes(40));
        Assert.Equal(1, (await CompressAsync()).Segments);
        Assert.True(IsPacked(late));
        Assert.Equal(0, (await CompressAsync()).Segments);
    }

    [Fact]
    public async Task A_lock_that_is_held_and_an_attempt_that_was_set_aside_keep_their_journals_as_they_are()
    {
        AttemptFiles held = await EndAsync();
        AttemptFiles aside = await EndAsync();
        await _house.Store.WriteAsync(
            t =>
            {
                using Statement s = t.Prepare("INSERT INTO recovery_quarantine (attempt_id, at, reason) VALUES (?1, 1, 'r')")
                    .Bind(1, Path.GetFileName(aside.Directory));
                s.Execute();
            },
            Cancel
        );
        _house.Clock.Turn(TimeSpan.FromDays(1));
        using FileLock? owner = FileLock.TryAcquire(held.Lock);

        Assert.Equal(0, (await CompressAsync()).Segments);
        Assert.Equal((false, false), (IsPacked(held), IsPacked(aside)));
    }

    [Fact]
    public async Task What_was_left_by_a_death_is_done_again_and_what_is_in_the_way_harms_nothing_else()
    {
        AttemptFiles torn = await EndAsync();
        string path = JournalFormat.SegmentPath(torn.Journal, 0);
        File.WriteAllText(Path.Combine(_house.Directory, "outside"), "not ours");
        File.CreateSymbolicLink(path + SegmentPacker.TemporarySuffix, Path.Combine(_house.Directory, "outside"));
        AttemptFiles blocked = await EndAsync();
        Directory.CreateDirectory(JournalFormat.SegmentPath(blocked.Journal, 0) + SegmentPacker.TemporarySuffix);
        AttemptFiles good = await EndAsync();
        _house.Clock.Turn(TimeSpan.FromDays(1));

        Assert.Equal(2, (await CompressAsync()).Segments);
        Assert.Equal((true, false, true), (IsPacked(torn), IsPacked(blocked), IsPacked(good)));
        Assert.Equal("not ours", File.ReadAllText(Path.Combine(_house.Directory, "outside")));
        Assert.Equal([path], Directory.GetFiles(torn.Journal));
    }

    /// <summary>
    /// Goal: a clock that was ahead by years leaves nothing uncompressed for as long. Method: compress in the future, come back, end
    /// another.
    /// </summary>
    [Fact]
    public async Task A_clock_that_was_ahead_for_a_while_keeps_nothing_from_being_compressed_afterwards()
    {
        AttemptFiles future = await EndAsync();
        _house.Clock.Turn(TimeSpan.FromDays(3650));
        await EndAsync();
        _house.Clock.Turn(TimeSpan.FromDays(1));
        Assert.Equal(2, (await CompressAsync()).Segments);

        _house.Clock.Jump(TimeSpan.FromHours(2) - TimeSpan.FromDays(3651));
        AttemptFiles now = await EndAsync();
        Assert.Equal(0, (await CompressAsync()).Segments);
        _house.Clock.Turn(TimeSpan.FromHours(2));
        Assert.Equal(1, (await CompressAsync()).Segments);
        Assert.Equal((true, true), (IsPacked(future), IsPacked(now)));
    }

    [Fact]
    public async Task Zero_is_never()
    {
        AttemptFiles over = await EndAsync();
        _house.Clock.Turn(TimeSpan.FromDays(100));
        Assert.Equal(0, (await CompressAsync(TimeSpan.Zero)).Segments);
        Assert.False(IsPacked(over));
    }

    private async Task<CompressionResult> CompressAsync(TimeSpan? after = null)
    {
        using var compress = new CompressJournals(
            _house.Store,
            new LiveAttempts(),
            _folders,
            new RetentionOptions { CompressAfter = after ?? TimeSpan.FromHours(1) },
            _house.Meters,
            _house.Clock,
            NullLogger.Instance
        );
        return await compress.RunAsync(Cancel);
    }

    private static bool IsPacked(AttemptFiles files)
    {
        using SegmentFile segment = SegmentFile.Open(files.Journal, 0);
        return segment.IsPacked;
    }

    private async Task<AttemptFiles> EndAsync()
    {
        await _house.AddAsync();
        ClaimedJob job = (await _house.ClaimAsync(1)).Single();
        var files = new AttemptFiles(_folders.Of(job.Attempt.Id));
        Directory.CreateDirectory(files.Directory);
        using (JournalWriter journal = JournalWriter.Open(files.Journal, JournalOptions.Default))
        {
            journal.Append(
                JournalChannel.Stdout,
                Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("all work and no play\n", 4000))),
                2
            );
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
        return files;
    }
}
