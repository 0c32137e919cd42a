using Holdfast.Protocol;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>Kills server and supervisors at every durable step of a job's life.</summary>
public abstract class JobCrashTests
{
    /// <summary>
    /// Jobs of several kinds, one after the other has started, then one that finds a warm supervisor; a death somewhere in it; then the
    /// truth.
    /// </summary>
    protected static async Task PlayAsync(CrashScenario scenario)
    {
        await using CrashStage stage = CrashStage.Prepare(scenario);
        var jobs = new List<AcknowledgedJob>();
        if (scenario.Story == CrashStory.Recovery)
        {
            await stage.Server.StartAgainAsync(
                new TestServerOptions
                {
                    Programs = Published.CrashPoints,
                    Environment = new() { ["HOLDFAST_CALLBACKS_ALLOW"] = "127.0.0.0/8" },
                }
            );
            jobs.AddRange(await SubmitAllAsync(stage));
            await stage.Truth.WaitForAsync("start");
            await stage.Server.KillAsync();
            stage.Server.Launch();
        }
        else
        {
            Task killing = scenario.Story == CrashStory.JobsWithoutServer ? KillServerAfterCrashAsync(stage) : Task.CompletedTask;
            jobs.AddRange(await SubmitAllAsync(stage));
            _ = await stage.WaitAsync(jobs[0]);
            jobs.Add(await stage.SubmitAsync(HouseJob.Short(stage.Truth, "warm") with { Callback = stage.Receiver.Url() }));
            await killing;
        }

        List<ExecutionReply> before = await WaitAllAsync(stage, jobs);
        await CheckAsync(stage, jobs, scenario.Loss);
        await stage.WaitForCrashAsync(); // Only now: callbacks go out after the ends.

        // What is known stays known.
        await stage.Server.RestartAsync();
        List<ExecutionReply> after = await WaitAllAsync(stage, jobs);
        Assert.Equal(
            before.Select(static e => (e.Id, e.State, e.ExitCode, e.Reason, e.Attempt)),
            after.Select(static e => (e.Id, e.State, e.ExitCode, e.Reason, e.Attempt))
        );
        await RetryWhatIsLostAsync(stage, jobs, after);
    }

    private static async Task<List<AcknowledgedJob>> SubmitAllAsync(CrashStage stage) =>
        [
            await stage.SubmitAsync(
                HouseJob.Printing(stage.Truth, "printing", bursts: 3, linesPerBurst: 50, pauseSeconds: 0.02) with
                {
                    Callback = stage.Receiver.Url(),
                }
            ),
            await stage.SubmitAsync(HouseJob.WithChildren(stage.Truth, "children", seconds: 0.05) with { Locks = ["shared"] }),
            await stage.SubmitAsync(
                HouseJob.Failing(stage.Truth, "failing") with
                {
                    Locks = ["shared", "other"],
                    Callback = stage.Receiver.Url("/failing"),
                }
            ),
        ];

    private static async Task KillServerAfterCrashAsync(CrashStage stage)
    {
        await stage.WaitForCrashAsync();
        await stage.Server.KillAsync();
    }

    private static async Task<List<ExecutionReply>> WaitAllAsync(CrashStage stage, List<AcknowledgedJob> jobs)
    {
        List<ExecutionReply> ends = [];
        foreach (AcknowledgedJob job in jobs)
        {
            ends.Add(await stage.WaitAsync(job));
        }

        return ends;
    }

    private static async Task CheckAsync(CrashStage stage, List<AcknowledgedJob> jobs, Loss loss)
    {
        await stage.Server.MustLeaveNothingAsync();
        var promises = new Promises(stage.Server, stage.Truth) { MayBeLost = _ => loss != Loss.None };
        Violations violations = await promises.CheckAsync(jobs);
        Assert.True(!violations.All.Any(), string.Join("\n", violations.All) + "\n" + stage.Server.Log);
        List<ExecutionReply> lost = (await WaitAllAsync(stage, jobs)).FindAll(static e => e.State == "lost");
        Assert.Equal("[]", (await stage.Server.PersistAsync(static rest => rest.GetAsync("/v1/locks"))).Text);
        await CallbackPromise.CheckAsync(stage, jobs);
        Assert.InRange(lost.Count, loss == Loss.One ? 1 : 0, loss == Loss.None ? 0 : 1);
    }

    /// <summary>What is lost does not run again by itself, but when somebody says so.</summary>
    private static async Task RetryWhatIsLostAsync(CrashStage stage, List<AcknowledgedJob> jobs, List<ExecutionReply> ends)
    {
        foreach (ExecutionReply lost in ends.Where(static e => e.State == "lost"))
        {
            AcknowledgedJob job = jobs.Single(j => j.Id == lost.Id);
            (await stage.Server.Rest.CommandAsync(lost.Id, "retry")).Must(200);
            ExecutionReply end = await stage.WaitAsync(job);
            Assert.Equal((job.Job.ExpectedState, job.Job.ExitCode, lost.Attempt + 1), (end.State, end.ExitCode, end.Attempt));
            Violations violations = await new Promises(stage.Server, stage.Truth) { Retries = _ => 1 }.CheckAsync([job]);
            Assert.Empty(violations.All);
        }
    }
}

/// <summary>The supervisor dies; the server lives and notices.</summary>
public sealed class SupervisorCrashTests : JobCrashTests
{
    public static TheoryData<CrashPoint, int, Loss> Deaths => CrashCases.Of(CrashStory.Jobs, isServer: false);

    [Theory]
    [MemberData(nameof(Deaths))]
    public Task A_supervisor_that_dies_takes_one_job_with_it_at_most_and_the_server_says_so(CrashPoint point, int arrival, Loss loss) =>
        PlayAsync(new CrashScenario(point, arrival, CrashStory.Jobs, loss));
}

/// <summary>The supervisor dies, and the server after it: the next one finds out.</summary>
public sealed class SupervisorAndServerCrashTests : JobCrashTests
{
    public static TheoryData<CrashPoint, int, Loss> Deaths => CrashCases.Of(CrashStory.JobsWithoutServer, isServer: false);

    [Theory]
    [MemberData(nameof(Deaths))]
    public Task What_became_of_a_supervisor_that_died_unseen_is_found_at_the_next_start(CrashPoint point, int arrival, Loss loss) =>
        PlayAsync(new CrashScenario(point, arrival, CrashStory.JobsWithoutServer, loss));
}

/// <summary>The server dies; its supervisors live on.</summary>
public sealed class ServerCrashTests : JobCrashTests
{
    public static TheoryData<CrashPoint, int, Loss> Deaths => CrashCases.Of(CrashStory.Jobs, isServer: true);

    public static TheoryData<CrashPoint, int, Loss> DeathsAtStart => CrashCases.Of(CrashStory.Recovery, isServer: true);

    [Theory]
    [MemberData(nameof(Deaths))]
    public Task A_server_that_dies_loses_nothing_and_runs_nothing_twice(CrashPoint point, int arrival, Loss loss) =>
        PlayAsync(new CrashScenario(point, arrival, CrashStory.Jobs, loss));

    [Theory]
    [MemberData(nameof(DeathsAtStart))]
    public Task A_server_that_dies_while_it_recovers_loses_nothing_either(CrashPoint point, int arrival, Loss loss) =>
        PlayAsync(new CrashScenario(point, arrival, CrashStory.Recovery, loss));
}
