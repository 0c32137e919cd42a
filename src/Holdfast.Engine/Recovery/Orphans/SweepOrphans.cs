using Holdfast.Engine.Access;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Recovery.Orphans;

/// <summary>
/// Finds what nobody owns and, unless it is only to be shown, does the next step about each: what has content is set aside and deleted
/// after a grace, a supervisor is marked and ended after it, a row is judged. One sweep at a time. Each step is whole by itself, so that a
/// sweep which is interrupted is gone on with by the next.
/// </summary>
public sealed partial class SweepOrphans : IDisposable
{
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);

    private readonly StateStore _store;
    private readonly FeedLog _feed;
    private readonly OrphanSearch _search;
    private readonly TrashFolder _trash;
    private readonly AttemptRecovery _recovery;
    private readonly OrphanOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Turnstile _one = new();

    internal SweepOrphans(
        StateStore store,
        FeedLog feed,
        OrphanSearch search,
        TrashFolder trash,
        AttemptRecovery recovery,
        OrphanOptions options,
        TimeProvider time,
        ILogger logger
    ) =>
        (_store, _feed, _search, _trash, _recovery, _options, _time, _logger) = (
            store,
            feed,
            search,
            trash,
            recovery,
            options,
            time,
            logger
        );

    internal AssetOrphans? Assets { get; init; }

    /// <summary>
    /// Where it is noted since when a supervisor is without an owner: in the folder that it holds, which is ours for certain.
    /// </summary>
    internal static string MarkOf(string attemptFolder) => Path.Combine(attemptFolder, "orphaned");

    /// <summary>What was found, each with what was done about it, or would have been.</summary>
    public Task<IReadOnlyList<Orphan>> RunAsync(bool isDryRun, CancellationToken cancellationToken) =>
        _one.RunAsync(cancel => SweepAsync(isDryRun, cancel), cancellationToken);

    private async Task<IReadOnlyList<Orphan>> SweepAsync(bool isDryRun, CancellationToken cancellationToken)
    {
        List<Orphan> found = await _search.RunAsync(_trash, cancellationToken);
        if (!isDryRun)
        {
            for (int i = 0; i < found.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                found[i] = await TreatAsync(found[i], cancellationToken);
            }

            await AnnounceAsync(found, cancellationToken);
        }

        return found;
    }

    /// <summary>One that cannot be treated says why, and stays for the next sweep; the others go on.</summary>
    private async Task<Orphan> TreatAsync(Orphan orphan, CancellationToken cancellationToken)
    {
        try
        {
            switch (orphan.Action)
            {
                case OrphanAction.SetAside when orphan.Kind == OrphanKind.AssetFile && Assets is not null:
                    await Assets.SetAsideAsync(orphan.Subject, _options.Grace, cancellationToken);
                    break;
                case OrphanAction.SetAside:
                    SetAside(orphan.Subject);
                    break;
                case OrphanAction.Delete when orphan.Kind == OrphanKind.ControlGroup:
                    Directory.Delete(orphan.Subject); // Its files are the system's and go with it.
                    break;
                case OrphanAction.Delete:
                    TrashFolder.Delete(orphan.Subject);
                    break;
                case OrphanAction.Mark:
                    await File.WriteAllBytesAsync(MarkOf(orphan.Subject), [], cancellationToken);
                    File.SetLastWriteTimeUtc(MarkOf(orphan.Subject), _time.GetUtcNow().UtcDateTime);
                    break;
                case OrphanAction.Stop:
                    await StopAsync(orphan.Subject, cancellationToken);
                    break;
                case OrphanAction.Judge
                    when _store.Read(reader => AttemptsTable.Find(reader, new AttemptId(orphan.Subject))) is { } attempt:
                    RecoveredAttempt verdict = await _recovery.RecoverOneAsync(attempt, null, cancellationToken);
                    return orphan with { Reason = $"{orphan.Reason} Now: {verdict.Verdict}." };
            }

            return orphan;
        }
        catch (Exception e)
            when (e
                    is IOException
                        or UnauthorizedAccessException
                        or TimeoutException
                        or LinkRefusedException
                        or System.Net.Sockets.SocketException
                        or AttemptFormatException
            )
        {
            Log.NotTreated(_logger, orphan.Subject, e);
            return orphan with { Action = OrphanAction.None, Reason = $"{orphan.Reason} It could not be treated now: {e.Message}" };
        }
    }

    /// <summary>Under its lock, at which a supervisor that comes late turns back as it finds no spec.</summary>
    private void SetAside(string folder)
    {
        using FileLock held =
            FileLock.TryAcquire(new AttemptFiles(folder).Lock) ?? throw new IOException("Somebody has taken its lock meanwhile.");
        _trash.Put(folder, _options.Grace);
    }

    /// <summary>Only the process that is proven to be its supervisor, over the socket that answers to its nonce.</summary>
    private async Task StopAsync(string folder, CancellationToken cancellationToken)
    {
        var files = new AttemptFiles(folder);
        SupervisorRecord record = SupervisorRecord.Read(PlainFile.Read(files.Supervisor, AttemptFiles.RecordBytesMax));
        if (!record.Process.IsAlive())
        {
            throw new IOException("The process that it names does not live; somebody else holds the lock.");
        }

        await using SupervisorLink link = await SupervisorLink.ConnectAsync(
            record.Socket,
            record.Nonce,
            static _ => { },
            _time,
            cancellationToken
        );
        if (link.Welcome.Pid != record.Process.Pid || link.Welcome.StartTicks != record.Process.StartTicks)
        {
            throw new IOException("Another process answers at its socket.");
        }

        await link.RequestAsync(
            new LinkMessage
            {
                Type = LinkMessageType.Stop,
                Attempt = Path.GetFileName(folder),
                Cause = ExitCause.Cancelled,
                GraceMs = (long)StopGrace.TotalMilliseconds,
            },
            cancellationToken
        );
    }

    private async Task AnnounceAsync(List<Orphan> found, CancellationToken cancellationToken)
    {
        Orphan[] treated = [.. found.Where(static o => o.Action != OrphanAction.None)];
        if (treated.Length == 0)
        {
            return;
        }

        Log.Swept(_logger, treated.Length, found.Count);
        await _store.WriteAsync(
            transaction =>
            {
                AuditTable.Record(
                    transaction,
                    _feed.Now,
                    nameof(SweepOrphans),
                    "orphans",
                    $"{treated.Length} of {found.Count} were treated."
                );
                _feed.Append(
                    transaction,
                    "recovery.swept",
                    "recovery",
                    writer =>
                    {
                        foreach (IGrouping<OrphanAction, Orphan> group in treated.GroupBy(static o => o.Action))
                        {
                            writer.WriteNumber(
                                System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(group.Key.ToString()),
                                group.Count()
                            );
                        }
                    }
                );
            },
            cancellationToken
        );
    }

    public void Dispose() => _one.Dispose();

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.OrphanNotTreated,
            LogLevel.Warning,
            "{Subject} belongs to nobody and could not be treated; the next sweep tries again."
        )]
        public static partial void NotTreated(ILogger logger, string subject, Exception exception);

        [LoggerMessage(EventIds.OrphansSwept, LogLevel.Information, "A sweep treated {Treated} of {Found} things that belong to nobody.")]
        public static partial void Swept(ILogger logger, int treated, int found);
    }
}
