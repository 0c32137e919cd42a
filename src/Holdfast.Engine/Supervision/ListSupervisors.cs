using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Supervision;

/// <summary>A supervisor as it stands now. The pid is for people to look at.</summary>
public sealed record SupervisorView(LiveAttempt Attempt, SupervisorLiveness Liveness, string Reason)
{
    public int? Pid { get; init; }

    /// <summary>As proc(5) says it.</summary>
    public char? ProcessState { get; init; }

    public bool IsAttached { get; init; }
}

/// <summary>
/// Looks at every supervisor of running work, now: what is stopped shows at once, not at the next look of <see cref="SupervisorCheck"/>. It
/// tells, and does nothing: death is noticed by the link, and only a freed lock means it.
/// </summary>
public sealed class ListSupervisors(LiveAttempts attempts, TimeProvider time)
{
    /// <summary>One that was silent and is awake again is asked before it is told of.</summary>
    private static readonly TimeSpan AskPatience = TimeSpan.FromSeconds(1);

    public async Task<IReadOnlyList<SupervisorView>> RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(
            attempts.All.Where(static a => a.Health == SupervisorHealth.Stale).Select(a => AskAgainAsync(a, cancellationToken))
        );
        return [.. attempts.All.OrderBy(static a => a.Attempt.Fence).Select(Look)];
    }

    /// <summary>As it stands by what can be seen without asking it.</summary>
    public static SupervisorView Look(LiveAttempt attempt)
    {
        SupervisorLink? link = attempt.LatestLink;
        bool isAttached = link is { Closed.IsCompleted: false };
        (int Pid, long StartTicks)? process = link is not null ? (link.Welcome.Pid, link.Welcome.StartTicks) : Recorded(attempt.Files);
        ProcessStat? stat = process is { } known ? ProcessStat.Of(known.Pid) : null;
        bool isThere = stat is not null && stat.StartTicks == process!.Value.StartTicks && stat.State is not ('Z' or 'X');

        // Asking after the lock takes it for an instant, which is no matter once nobody lives who would want it.
        bool isLockHeld = isThere || FileLock.IsHeld(attempt.Files.Lock);
        char? state = isThere ? stat!.State : null;
        (SupervisorLiveness liveness, string reason) = SupervisorLivenessTable.Of(
            new SupervisorSight(process is not null, isLockHeld, isAttached, attempt.Health == SupervisorHealth.Stale, state)
        );
        reason =
            liveness == SupervisorLiveness.Stale && !isAttached && state is not ('T' or 't') && attempt.LinkProblem is { } problem
                ? problem
                : reason;
        return new SupervisorView(attempt, liveness, reason)
        {
            Pid = process?.Pid,
            ProcessState = state,
            IsAttached = isAttached,
        };
    }

    private static (int Pid, long StartTicks)? Recorded(AttemptFiles files)
    {
        try
        {
            ProcessIdentity process = SupervisorRecord.Read(PlainFile.Read(files.Supervisor, AttemptFiles.RecordBytesMax)).Process;
            return process.BootId == ProcessIdentity.BootIdNow ? (process.Pid, process.StartTicks) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or AttemptFormatException)
        {
            return null; // Not there yet, or no more.
        }
    }

    private async Task AskAgainAsync(LiveAttempt attempt, CancellationToken cancellationToken)
    {
        if (!attempt.Link.IsCompletedSuccessfully || Look(attempt).ProcessState is 'T' or 't')
        {
            return;
        }

        try
        {
            SupervisorLink link = await attempt.Link;
            await link.RequestAsync(new LinkMessage { Type = LinkMessageType.Ping }, cancellationToken)
                .WaitAsync(AskPatience, time, cancellationToken);
            attempt.Health = SupervisorHealth.Fresh;
        }
        catch (Exception e) when (e is TimeoutException or IOException or LinkRefusedException)
        {
            // Still silent, or just gone.
        }
    }
}
