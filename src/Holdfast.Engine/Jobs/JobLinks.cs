using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Jobs;

/// <summary>Gives a running job's attempt its link, and passes on over it that the job shall stop.</summary>
internal sealed class JobLinks(JobOptions options, CancellationToken stopping)
{
    public async Task AttachAsync(LiveAttempt live, SupervisorLink link)
    {
        live.Attach(link);
        if (live.IsStopRequested)
        {
            try
            {
                await StopAsync(live, link);
            }
            catch (Exception e) when (e is IOException or LinkRefusedException)
            {
                // The link broke, and whoever attaches the next one passes the wish on; or the job ended first, and keeps its own result.
            }
        }
    }

    /// <summary>Passes a cancel on. The outcome, and nothing else, makes the execution cancelled.</summary>
    public async Task StopAsync(LiveAttempt live, SupervisorLink link) =>
        await link.RequestAsync(
            new LinkMessage
            {
                Type = LinkMessageType.Stop,
                Attempt = live.Id.Value,
                Cause = ExitCause.Cancelled,
                GraceMs = (long)options.StopGrace.TotalMilliseconds,
            },
            stopping
        );
}
