using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol;
using Holdfast.Protocol.Link;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Jobs;

/// <summary>Hands a claimed job to a warm supervisor, or to a new one.</summary>
internal sealed partial class JobLauncher(
    JobNews news,
    JobCommits commits,
    WarmSupervisors warm,
    JobLinks links,
    JobRescue rescue,
    JobSpec spec,
    SupervisorSpawner spawner,
    TimeProvider time,
    ILogger logger,
    CancellationToken stopping
)
{
    public async Task LaunchAsync(ClaimedJob job)
    {
        // Effects run in commit order on one thread of the store; this continuation may be quicker than they are, and both must mean the
        // same object.
        LiveAttempt live = commits.Live(job);
        live.ClaimedAt = time.NowMicroseconds();
        try
        {
            spec.Write(job);
            CrashPoints.Reach(CrashPoint.ServerSpecWritten);
            if (!await TryRunWarmAsync(live))
            {
                await RunFreshAsync(live);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or TimeoutException or LinkRefusedException)
        {
            Log.LaunchFailed(logger, job.Execution.Id.Value, e);
            await rescue.RunLaterAsync(live);
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException)
        {
            // What is stored of the request cannot be read, today or tomorrow: nothing was started, and trying again would keep a slot busy
            // for ever.
            Log.LaunchFailed(logger, job.Execution.Id.Value, e);
            news.Ended(
                live,
                new Outcome(
                    ExecutionState.Failed,
                    null,
                    null,
                    Protocol.Attempts.ExitCause.NotStarted,
                    $"What the store has of its request cannot be read: {e.Message}",
                    time.NowMicroseconds()
                ),
                null
            );
        }
    }

    private async Task<bool> TryRunWarmAsync(LiveAttempt live)
    {
        while (warm.Take() is { } supervisor)
        {
            supervisor.Assign(live);
            try
            {
                // A link that breaks in the middle of this leaves it open whether the folder was taken: the rescue finds out.
                await supervisor.Link.RequestAsync(
                    new LinkMessage
                    {
                        Type = LinkMessageType.Run,
                        Directory = live.Files.Directory,
                        Attempt = live.Id.Value,
                    },
                    stopping
                );
                await links.AttachAsync(live, supervisor.Link);
                return true;
            }
            catch (LinkRefusedException e)
            {
                // It certainly did not take it: the next one, or a new one, may.
                supervisor.Assign(null!);
                Log.WarmRefused(logger, e);
            }
        }

        return false;
    }

    private async Task RunFreshAsync(LiveAttempt live)
    {
        var supervisor = new JobSupervisor(news);
        supervisor.Assign(live);
        (int _, System.Net.Sockets.Socket socket) = spawner.Spawn(live.Files.Directory);
        CrashPoints.Reach(CrashPoint.ServerSupervisorSpawned);
        SupervisorLink link = await SupervisorLink.OverAsync(socket, live.Attempt.Nonce, supervisor.OnNotice, time, stopping);
        supervisor.Open(link);
        await links.AttachAsync(live, link);
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.JobLaunchFailed,
            LogLevel.Error,
            "Job {ExecutionId} could not be launched; its folder decides what becomes of it."
        )]
        public static partial void LaunchFailed(ILogger logger, string executionId, Exception exception);

        [LoggerMessage(EventIds.JobWarmRefused, LogLevel.Warning, "A warm supervisor refused a job; another is used.")]
        public static partial void WarmRefused(ILogger logger, Exception exception);
    }
}
