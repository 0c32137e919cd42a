using System.Text.Json;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;
using Holdfast.Protocol;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Recovery;

/// <summary>
/// Keeps what a start-up finds: in memory while it goes on, in the store when it is over, in the feed for whoever follows. A start-up that
/// takes longer than anybody would notice says in the store how far it is, so that the next one knows where it was interrupted.
/// </summary>
internal sealed partial class RecoveryDiary(StateStore store, FeedLog feed, AttemptRecovery attempts, TimeProvider time, ILogger logger)
{
    /// <summary>Below this the phases are told all at once at the end: a commit for each would cost more than the phases do.</summary>
    private static readonly TimeSpan Unnoticed = TimeSpan.FromMilliseconds(200);

    /// <summary>Of a start-up that is over, so many attempts are kept; the counts are of all.</summary>
    private const int AttemptsKeptMax = 200;

    private readonly Lock _lock = new();
    private readonly List<RecoveryPhase> _phases = []; // guarded by _lock
    private readonly List<RecoveryPhase> _untold = []; // guarded by _lock
    private readonly List<Task> _telling = []; // guarded by _lock
    private readonly long _startedAt = time.NowMicroseconds();
    private readonly long _start = time.GetTimestamp();
    private long _id;
    private long _queued;
    private double? _milliseconds;
    private IReadOnlyList<InterruptedStart> _interrupted = [];

    public bool IsComplete => _milliseconds is not null;

    public RecoveryReport Report
    {
        get
        {
            lock (_lock)
            {
                return new RecoveryReport
                {
                    IsComplete = IsComplete,
                    StartedAt = _startedAt,
                    Milliseconds = _milliseconds ?? Elapsed.TotalMilliseconds,
                    Phases = [.. _phases],
                    Attempts = attempts.Verdicts,
                    Queued = _queued,
                    Version = ProductVersion.Current,
                    Interrupted = _interrupted,
                };
            }
        }
    }

    public IReadOnlyList<RecoveryReport> History => _id == 0 ? [] : store.Read(reader => RecoveryStartsTable.Before(reader, _id));

    private TimeSpan Elapsed => time.GetElapsedTime(_start);

    /// <summary>Durable before anything is put right: from here on the next start-up knows that this one was under way.</summary>
    public async Task BeginAsync(long queued, CancellationToken cancellationToken)
    {
        _queued = queued;
        (_id, _interrupted) = await store.WriteAsync(
            transaction =>
            {
                long id = RecoveryStartsTable.Begin(transaction, _startedAt);
                List<InterruptedStart> interrupted = RecoveryStartsTable.InterruptedBefore(transaction, id);
                feed.Append(
                    transaction,
                    "recovery.started",
                    "recovery",
                    writer =>
                    {
                        writer.WriteNumber("queued", queued);
                        writer.WriteNumber("interrupted", interrupted.Count);
                    }
                );
                return (id, interrupted);
            },
            cancellationToken
        );
    }

    /// <summary>A phase is over, for the first time or again.</summary>
    public void Ended(RecoveryPhase phase)
    {
        lock (_lock)
        {
            _phases.RemoveAll(p => p.Name == phase.Name);
            _phases.Add(phase);
            _untold.Add(phase);
            if (_id != 0 && (IsComplete || Elapsed > Unnoticed))
            {
                _telling.RemoveAll(static t => t.IsCompleted);
                _telling.Add(TellAsync([.. _untold]));
                _untold.Clear();
            }
        }

        CrashPoints.Reach(CrashPoint.ServerRecoveryPhaseOver);
    }

    /// <summary>The whole start-up is over, and its report durable.</summary>
    public async Task FinishAsync()
    {
        Task[] telling;
        List<RecoveryPhase> untold;
        lock (_lock)
        {
            telling = [.. _telling];
            untold = [.. _untold];
            _untold.Clear();
            _milliseconds = Elapsed.TotalMilliseconds;
        }

        await Task.WhenAll(telling);
        RecoveryReport report = Report;
        RecoveryReport kept = report with
        {
            Attempts = [.. report.Attempts.Take(AttemptsKeptMax)],
            Counts = RecoveryReport.Verdicts.ToDictionary(static v => v, report.CountOf),
        };
        await store.WriteAsync(
            transaction =>
            {
                Tell(transaction, untold);
                RecoveryStartsTable.Finish(transaction, _id, time.NowMicroseconds(), kept);
                feed.Append(transaction, "recovery.completed", "recovery", writer => WriteCounts(writer, report));
            },
            CancellationToken.None
        );
    }

    private async Task TellAsync(List<RecoveryPhase> phases)
    {
        try
        {
            await store.WriteAsync(
                transaction =>
                {
                    Tell(transaction, phases);
                    RecoveryStartsTable.Progress(transaction, _id, phases[^1].Name);
                },
                CancellationToken.None
            );
        }
        catch (StoreException e)
        {
            Log.NotTold(logger, e); // What was put right is stored by whoever put it right; only the telling is missing.
        }
    }

    private void Tell(StoreTransaction transaction, List<RecoveryPhase> phases)
    {
        foreach (RecoveryPhase phase in phases)
        {
            feed.Append(
                transaction,
                "recovery.phase",
                "recovery",
                writer =>
                {
                    writer.WriteString("name", phase.Name);
                    writer.WriteNumber("milliseconds", Math.Round(phase.Milliseconds, 3));
                    writer.WriteNumber("found", phase.Found);
                    writer.WriteString("problem", phase.Problem);
                }
            );
        }
    }

    private static void WriteCounts(Utf8JsonWriter writer, RecoveryReport report)
    {
        writer.WriteNumber("milliseconds", Math.Round(report.Milliseconds, 3));
        writer.WriteNumber("found", report.Found);
        foreach (string verdict in RecoveryReport.Verdicts)
        {
            writer.WriteNumber(verdict, report.CountOf(verdict));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RecoveryNotTold, LogLevel.Warning, "A phase of recovery is over, and that could not be stored.")]
        public static partial void NotTold(ILogger logger, Exception exception);
    }
}
