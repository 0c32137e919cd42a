using Holdfast.Engine.Jobs;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;

namespace Holdfast.Tests.Jobs;

/// <summary>A stop names the attempt it is meant for: its supervisor may be at another one by the time it arrives.</summary>
public sealed class JobLinksTests
{
    private readonly JobLinks _links = new(new JobOptions { StopGrace = TimeSpan.FromSeconds(7) }, TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_stop_names_its_attempt_its_cause_and_its_grace()
    {
        await using LinkedAttempt job = await LinkedAttempt.OpenAsync();

        LinkMessage asked = await job.GrantAsync(_links.StopAsync(job.Live, job.Link));

        Assert.Equal(
            (LinkMessageType.Stop, LinkedAttempt.Id.Value, ExitCause.Cancelled, 7000L),
            (asked.Type, asked.Attempt, asked.Cause, asked.GraceMs)
        );
    }

    [Fact]
    public async Task A_stop_that_was_asked_for_before_there_was_a_link_is_passed_on_with_its_attempt_when_there_is_one()
    {
        await using LinkedAttempt job = await LinkedAttempt.OpenAsync();
        job.Live.IsStopRequested = true;

        LinkMessage asked = await job.GrantAsync(_links.AttachAsync(job.Live, job.Link));

        Assert.Equal((LinkMessageType.Stop, LinkedAttempt.Id.Value), (asked.Type, asked.Attempt));
        Assert.Same(job.Link, await job.Live.Link);
    }

    [Fact]
    public async Task A_job_that_nobody_wants_stopped_is_attached_without_a_word()
    {
        await using LinkedAttempt job = await LinkedAttempt.OpenAsync();

        await _links.AttachAsync(job.Live, job.Link); // It would wait for an answer that nobody gives.

        Assert.Same(job.Link, await job.Live.Link);
    }

    [Fact]
    public async Task A_supervisor_that_is_at_another_attempt_by_now_does_not_disturb_the_attachment()
    {
        await using LinkedAttempt job = await LinkedAttempt.OpenAsync();
        job.Live.IsStopRequested = true;

        Task attaching = _links.AttachAsync(job.Live, job.Link);
        await job.RefuseAsync(LinkCodes.NotRunning);

        await attaching;
    }
}
