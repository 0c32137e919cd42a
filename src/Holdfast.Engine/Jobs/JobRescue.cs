using Holdfast.Engine.Executions;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Jobs;

/// <summary>
/// For an attempt that nobody is connected to: its folder is asked what became of it, and that is acted upon. Attach again, take the
/// outcome, put back into the queue, or call it lost.
/// </summary>
internal sealed partial class JobRescue(
    JobNews news,
    JobLinks links,
    AttemptRescuer rescuer,
    EngineMeters meters,
    TimeProvider time,
    ILogger logger,
    CancellationToken stopping
)
{
    /// <summary>
    /// What kept a job from being launched, such as a full disk or process table, seldom passes at once: each failure keeps its slot for a
    /// pause.
    /// </summary>
    public async Task RunLaterAsync(LiveAttempt live)
    {
        try
        {
            await Task.Delay(JobPauses.Store, time, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return; // The next server's recovery finds it.
        }

        await RunAsync(live);
    }

    public async Task RunAsync(LiveAttempt live)
    {
        try
        {
            await SettleAsync(live, await rescuer.JudgeAsync(live, stopping), stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The next server's recovery finds it.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or AttemptFormatException)
        {
            // The folder cannot be read or made void now (no descriptors, no room): an attempt without a verdict would hold its slot for
            // ever.
            Log.NotRescued(logger, live.Attempt.ExecutionId!.Value.Value, e);
            await RunLaterAsync(live);
        }
    }

    /// <summary>Acts on a verdict.</summary>
    public async Task SettleAsync(LiveAttempt live, AttemptVerdict verdict, CancellationToken cancellationToken)
    {
        switch (verdict.Fate)
        {
            case AttemptFate.Alive:
                await ReattachAsync(live, cancellationToken);
                break;
            case AttemptFate.Ended:
                news.Ended(live, JobOutcome.Of(verdict.Exit!), null);
                break;
            case AttemptFate.NeverStarted:
                news.NeverStarted(live);
                break;
            default:
                meters.SupervisorDied();
                int killed = LeftoverSweep.Run(live.Id.Value, live.Attempt.Nonce);
                LeftoverSweep.RemoveSocket(verdict.Supervisor);
                string reason = verdict.Reason! + (killed > 0 ? $" {killed} process(es) it left running were ended." : "");
                news.Ended(live, JobOutcome.Lost(reason, time.NowMicroseconds()), null);
                break;
        }
    }

    private async Task ReattachAsync(LiveAttempt live, CancellationToken cancellationToken)
    {
        var supervisor = new JobSupervisor(news);
        supervisor.Assign(live);
        SupervisorLink? link = await rescuer.ReattachAsync(live, supervisor.OnNotice, cancellationToken);
        if (link is null)
        {
            supervisor.Assign(null!);
            _ = RunAsync(live);
            return;
        }

        supervisor.Open(link);
        CatchUp(live, supervisor, link.Welcome);
        await links.AttachAsync(live, link);
    }

    /// <summary>
    /// What happened while nobody was connected: the welcome says where the supervisor is now, and notices only tell what comes after.
    /// </summary>
    private void CatchUp(LiveAttempt live, JobSupervisor supervisor, LinkMessage welcome)
    {
        if (AttemptVerdict.RecordOf(live.Files.Exit, static json => ExitRecord.Read(json)) is { } exit)
        {
            supervisor.Assign(null!);
            news.Ended(live, JobOutcome.Of(exit), supervisor);
            return;
        }

        if (File.Exists(live.Files.Child))
        {
            // That it is there says that the child runs; when that began is all that a damaged one keeps to itself.
            long? startedAt = AttemptVerdict.RecordOf(live.Files.Child, static json => ChildRecord.Read(json)) is { } child
                ? UnixTime.FromNanoseconds(child.AtUnixNanoseconds)
                : null;
            news.Running(live, startedAt ?? time.NowMicroseconds());
            news.Moved(live, welcome.State == "paused" ? ExecutionCommand.ConfirmPaused : ExecutionCommand.ConfirmResumed);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.JobNotRescued,
            LogLevel.Error,
            "What became of job {ExecutionId} cannot be found out now; its folder is asked again."
        )]
        public static partial void NotRescued(ILogger logger, string executionId, Exception exception);
    }
}
