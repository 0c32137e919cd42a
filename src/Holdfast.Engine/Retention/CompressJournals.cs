using Holdfast.Engine.Executions;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Retention;

/// <summary>What was compressed, and its bytes before and after.</summary>
public sealed record CompressionResult(int Segments, long BytesBefore, long BytesAfter)
{
    public CompressionResult Add(in PackedResult one) =>
        one.IsPacked ? new CompressionResult(Segments + 1, BytesBefore + one.BytesBefore, BytesAfter + one.BytesAfter) : this;
}

/// <summary>
/// Packs segments that are written to no more, in their places and one at a time. 1. Attempts that have ended for so long come in the order
/// of their ends; how far that has come is stored, so that each is looked at once. 2. Of attempts that live, the segments that are closed:
/// their supervisors must be able to read them packed. A crash repeats a few at most. Positions and offsets stay what they are, and readers
/// take no notice.
/// </summary>
public sealed partial class CompressJournals : IDisposable
{
    private const int BatchMax = 100;

    /// <summary>Ends that come to lie before the mark, since the clock was set back, are found within so much of it.</summary>
    private static readonly TimeSpan LookBack = TimeSpan.FromDays(1);

    private readonly StateStore _store;
    private readonly LiveAttempts _live;
    private readonly AttemptFolders _folders;
    private readonly RetentionOptions _options;
    private readonly EngineMeters _meters;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Turnstile _one = new();

    // Closed segments of living attempts that did not shrink, so that they are tried once; guarded by _one.
    private readonly Dictionary<string, HashSet<long>> _tried = [];

    internal CompressJournals(
        StateStore store,
        LiveAttempts live,
        AttemptFolders folders,
        RetentionOptions options,
        EngineMeters meters,
        TimeProvider time,
        ILogger logger
    ) => (_store, _live, _folders, _options, _meters, _time, _logger) = (store, live, folders, options, meters, time, logger);

    public Task<CompressionResult> RunAsync(CancellationToken cancellationToken) =>
        _options.CompressAfter <= TimeSpan.Zero
            ? Task.FromResult(new CompressionResult(0, 0, 0))
            : _one.RunAsync(CompressAsync, cancellationToken);

    private async Task<CompressionResult> CompressAsync(CancellationToken cancellationToken)
    {
        var result = new CompressionResult(0, 0, 0);
        result = await EndedAsync(result, cancellationToken);
        result = await LivingAsync(result, cancellationToken);
        if (result.Segments > 0)
        {
            Log.Compressed(_logger, result.Segments, result.BytesBefore, result.BytesAfter);
        }

        return result;
    }

    private async Task<CompressionResult> EndedAsync(CompressionResult result, CancellationToken cancellationToken)
    {
        long before = _time.NowMicroseconds() - MicrosecondsOf(_options.CompressAfter);
        CompressionMark mark = _store.Read(CompressionTable.Read);
        if (mark.EndedAt > before)
        {
            mark = new CompressionMark(before - MicrosecondsOf(LookBack), 0);
        }

        while (_store.Read(reader => CompressionTable.After(reader, mark, before, BatchMax)) is { Count: > 0 } batch)
        {
            foreach ((_, AttemptId id) in batch)
            {
                var files = new AttemptFiles(_folders.Of(id));
                if (!Directory.Exists(files.Journal) || FileLock.IsHeld(files.Lock))
                {
                    continue; // A lock that is held is an owner, whatever the store says.
                }

                foreach (long segment in SegmentsOf(files.Journal))
                {
                    if (!HasRoom(files.Journal, segment))
                    {
                        return result;
                    }

                    result = result.Add(await PackAsync(files.Journal, segment, cancellationToken));
                }
            }

            mark = batch[^1].Mark;
            CompressionMark reached = mark;
            await _store.WriteAsync(transaction => CompressionTable.Write(transaction, reached), cancellationToken);
        }

        return result;
    }

    private async Task<CompressionResult> LivingAsync(CompressionResult result, CancellationToken cancellationToken)
    {
        DateTime before = _time.GetUtcNow().UtcDateTime - _options.CompressAfter;
        HashSet<string> living = [];
        foreach (LiveAttempt attempt in _live.All)
        {
            living.Add(attempt.Id.Value);
            if (attempt.LatestLink?.Welcome.Capabilities?.Contains(LinkCapabilities.Packed) != true)
            {
                continue;
            }

            string journal = attempt.Files.Journal;
            foreach (long segment in SegmentsOf(journal).SkipLast(1))
            {
                if (
                    !(_tried.TryGetValue(attempt.Id.Value, out HashSet<long>? tried) && tried.Contains(segment))
                    && File.GetLastWriteTimeUtc(JournalFormat.SegmentPath(journal, segment)) < before
                    && HasRoom(journal, segment)
                )
                {
                    result = result.Add(await PackAsync(journal, segment, cancellationToken));
                    _tried.TryAdd(attempt.Id.Value, []);
                    _tried[attempt.Id.Value].Add(segment);
                }
            }
        }

        foreach (string ended in _tried.Keys.Where(id => !living.Contains(id)).ToList())
        {
            _tried.Remove(ended);
        }

        return result;
    }

    private async Task<PackedResult> PackAsync(string journal, long segment, CancellationToken cancellationToken)
    {
        try
        {
            PackedResult result = await QuietThread.RunAsync(() => SegmentPacker.Pack(journal, segment, cancellationToken));
            if (result.IsPacked)
            {
                _meters.SegmentCompressed(result.BytesBefore, result.BytesAfter);
            }

            return result;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (Directory.Exists(journal))
            {
                // It stays as it is, and is whole; what else is wrong with it, its readers say.
                Log.NotCompressed(_logger, JournalFormat.SegmentPath(journal, segment), e);
            }

            return default;
        }
    }

    private static long[] SegmentsOf(string journal)
    {
        try
        {
            return JournalFormat.ListSegments(journal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // Not a folder, or deleted meanwhile.
        }
    }

    /// <summary>For a while both files are there. Work that runs is not to miss that room.</summary>
    private static bool HasRoom(string journal, long segment) =>
        new FileInfo(JournalFormat.SegmentPath(journal, segment)) is { Exists: true } file
        && new DriveInfo(journal).AvailableFreeSpace > 2 * file.Length;

    private static long MicrosecondsOf(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;

    public void Dispose() => _one.Dispose();

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.JournalsCompressed,
            LogLevel.Information,
            "Compressed {Segments} segments of journals: {BytesBefore} bytes are {BytesAfter} now."
        )]
        public static partial void Compressed(ILogger logger, int segments, long bytesBefore, long bytesAfter);

        [LoggerMessage(EventIds.JournalNotCompressed, LogLevel.Warning, "{Segment} could not be compressed and stays as it is.")]
        public static partial void NotCompressed(ILogger logger, string segment, Exception exception);
    }
}
