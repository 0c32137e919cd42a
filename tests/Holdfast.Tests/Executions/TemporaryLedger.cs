using System.Collections.Concurrent;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Store;
using Holdfast.Tests.Fakes;
using Holdfast.Tests.Store;

namespace Holdfast.Tests.Executions;

/// <summary>
/// A real store with the product's schema, its feed and its ledger, in a folder that goes away with the test; what was published is kept.
/// </summary>
internal sealed class TemporaryLedger : IAsyncDisposable
{
    private readonly string _directory = TemporaryStore.NewDirectory();

    public TemporaryLedger(TimeProvider? time = null)
    {
        Time = time ?? Clock;
        Store = StateStore.Open(new StoreOptions { Directory = _directory, Migrations = Migration.Embedded }, TimeProvider.System);
        Feed = new FeedLog(Store, Time);
        Ledger = new ExecutionLedger(Feed, Meters, "here", Time);
        Feed.Published += Published.Enqueue;
    }

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public FakeClock Clock { get; } = new();

    public TimeProvider Time { get; }

    public StateStore Store { get; }

    public FeedLog Feed { get; }

    public EngineMeters Meters { get; } = new();

    public ExecutionLedger Ledger { get; }

    public ConcurrentQueue<FeedEvent> Published { get; } = new();

    public string Directory => _directory;

    /// <summary>The kinds of an execution's events as stored, without their common prefix.</summary>
    public string[] History(ExecutionId id) =>
        [.. Feed.ReadAfter(0, id.Value, int.MaxValue).Select(static e => e.Kind["execution.".Length..])];

    public Execution Draft(ExecutionKind kind = ExecutionKind.Job, AttemptId? kernel = null) =>
        new()
        {
            Sequence = 0,
            CreatedAt = 0,
            Id = new ExecutionId(Ulid.New(Time)),
            Kind = kind,
            State = ExecutionState.Queued,
            Queue = "default",
            AttemptId = kernel,
        };

    public Task<Execution> AddAsync(ExecutionKind kind = ExecutionKind.Job, AttemptId? kernel = null) =>
        Store.WriteAsync(transaction => Ledger.Add(transaction, Draft(kind, kernel), "{}"), Cancel);

    public Execution Find(ExecutionId id) => Store.Read(reader => ExecutionsTable.Find(reader, id))!;

    public Task<Execution> CommandAsync(ExecutionId id, ExecutionCommand command) =>
        Store.WriteAsync(transaction => Ledger.Command(transaction, id, command), Cancel);

    public Task<List<ClaimedJob>> ClaimAsync(int limit) => Store.WriteAsync(transaction => Ledger.ClaimJobs(transaction, limit), Cancel);

    public Task<Execution?> AdvanceAsync(ClaimedJob job, ExecutionCommand command) =>
        Store.WriteAsync(transaction => Ledger.Advance(transaction, job.Execution.Id, job.Attempt.Id, command), Cancel);

    public Task<Execution?> FinishAsync(ClaimedJob job, ExecutionState state, int? exitCode = null) =>
        Store.WriteAsync(
            transaction =>
                Ledger.Finish(
                    transaction,
                    job.Execution.Id,
                    job.Attempt.Id,
                    new Outcome(state, exitCode, null, "exited", "It ended.", 5) { OutputBytes = 7 }
                ),
            Cancel
        );

    public List<Attempt> OpenAttempts() => Store.Read(AttemptsTable.Open);

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Meters.Dispose();
        System.IO.Directory.Delete(_directory, recursive: true);
    }
}
