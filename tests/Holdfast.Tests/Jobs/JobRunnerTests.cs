using Holdfast.Engine;
using Holdfast.Engine.Jobs;
using Holdfast.Protocol.Link;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Jobs;

/// <summary>Whatever is wanted of a running job reaches its supervisor with the attempt it is meant for, and never another's.</summary>
public sealed class JobRunnerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Wishes => ["pause", "resume", "input", "resize"];

    [Theory]
    [MemberData(nameof(Wishes))]
    public async Task A_request_names_the_attempt_it_is_meant_for(string wish)
    {
        await using LinkedAttempt job = await RunningAsync();

        LinkMessage asked = await job.GrantAsync(AskAsync(job, wish));

        Assert.Equal(LinkedAttempt.Id.Value, asked.Attempt);
        LinkMessageType type = wish switch
        {
            "pause" => LinkMessageType.Pause,
            "resume" => LinkMessageType.Resume,
            "input" => LinkMessageType.StandardInput,
            _ => LinkMessageType.Resize,
        };
        Assert.Equal(type, asked.Type);
        Assert.Equal(wish == "input" ? ("typed", true) : ("", false), (System.Text.Encoding.UTF8.GetString(asked.Body.Span), asked.End));
        Assert.Equal(wish == "resize" ? (24, 80) : (0, 0), (asked.Rows, asked.Columns));
    }

    [Theory]
    [MemberData(nameof(Wishes))]
    public async Task A_refusal_for_another_attempt_is_told_as_the_end_of_this_one(string wish)
    {
        await using LinkedAttempt job = await RunningAsync();

        Task asking = AskAsync(job, wish);
        await job.RefuseAsync(LinkCodes.NotRunning);

        Assert.Equal(ErrorCodes.IllegalTransition, (await Assert.ThrowsAsync<RefusedException>(() => asking)).Code);
    }

    [Fact]
    public async Task Nothing_is_asked_of_a_job_before_its_child_was_launched()
    {
        await using LinkedAttempt job = await LinkedAttempt.OpenAsync();
        job.Live.Attach(job.Link);

        Task asking = AskAsync(job, "input");
        Assert.False(asking.IsCompleted);
        job.Live.Take(new LinkMessage { Type = LinkMessageType.Started, Pid = 43 });

        Assert.Equal(LinkMessageType.StandardInput, (await job.GrantAsync(asking)).Type);
    }

    [Fact]
    public async Task What_has_just_ended_takes_nothing_more()
    {
        await using LinkedAttempt job = await RunningAsync();
        job.Attempts.Remove(job.Live);

        Assert.Equal(ErrorCodes.IllegalTransition, (await Assert.ThrowsAsync<RefusedException>(() => AskAsync(job, "pause"))).Code);
    }

    private static async Task<LinkedAttempt> RunningAsync()
    {
        LinkedAttempt job = await LinkedAttempt.OpenAsync();
        job.Live.Attach(job.Link);
        job.Live.Take(new LinkMessage { Type = LinkMessageType.Started, Pid = 43 });
        return job;
    }

    private static Task AskAsync(LinkedAttempt job, string wish)
    {
        var runner = new JobRunner(job.Attempts, null!, new FakeClock()); // The dispatcher is for cancelling alone.
        return wish switch
        {
            "pause" => runner.PauseAsync(LinkedAttempt.Execution, Cancel),
            "resume" => runner.ResumeAsync(LinkedAttempt.Execution, Cancel),
            "input" => runner.WriteStandardInputAsync(LinkedAttempt.Execution, "typed"u8.ToArray(), end: true, Cancel),
            _ => runner.ResizeAsync(LinkedAttempt.Execution, 24, 80, Cancel),
        };
    }
}
