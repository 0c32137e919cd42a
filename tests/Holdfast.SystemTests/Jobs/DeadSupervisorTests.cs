using System.Diagnostics;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jobs;

/// <summary>Supervisors that are killed, stopped or late, told apart.</summary>
public sealed class DeadSupervisorTests
{
    private const string Tree = "sleep 1000 & (sleep 1000 &) ; setsid sleep 1000 & echo begun; wait";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_whose_supervisor_is_killed_is_lost_with_a_reason_and_leaves_nothing(bool isServerUp)
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.Rest.SubmitAsync(Tree);
        await server.Rest.WaitForStateAsync(id, "running");
        await Patience.UntilAsync(async () => await server.Rest.OutputTextAsync(id) == "begun\n", "it had begun");
        ProcessIdentity supervisor = await server.SupervisorOfAsync(id);
        if (!isServerUp)
        {
            await server.KillAsync();
        }

        _ = Libc.Kill(supervisor.Pid, Libc.SigKill);
        ExecutionReply end = await server.PersistAsync(rest => rest.WaitAsync(id));

        Assert.Equal(("lost", null, null), (end.State, end.ExitCode, end.Signal));
        Assert.Contains("supervisor was killed", end.Reason, StringComparison.Ordinal);
        Assert.Empty(HouseProcesses.Work(server.Data));
        Assert.Equal("begun\n", await server.Rest.OutputTextAsync(id));
    }

    /// <summary>As if pids had come round: the supervisor's is a stranger's when the next server starts.</summary>
    [Fact]
    public async Task A_pid_that_is_somebody_else_s_by_now_is_never_signalled()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.Rest.SubmitAsync("sleep 1000");
        await server.Rest.WaitForStateAsync(id, "running");
        AttemptFiles files = server.AttemptsOf(id)[^1];
        var record = SupervisorRecord.Read(await File.ReadAllBytesAsync(files.Supervisor, TestContext.Current.CancellationToken));
        await server.KillAsync();
        _ = Libc.Kill(record.Process.Pid, Libc.SigKill);
        await Patience.UntilAsync(() => !FileLock.IsHeld(files.Lock), "the supervisor was gone");
        using Process stranger = Process.Start("sleep", "1000");
        try
        {
            await File.WriteAllBytesAsync(
                files.Supervisor,
                (record with { Process = record.Process with { Pid = stranger.Id } }).Write(),
                TestContext.Current.CancellationToken
            );
            await server.StartAgainAsync();

            Assert.Equal("lost", (await server.Rest.WaitAsync(id)).State);
            await server.MustLeaveNothingAsync();
            Assert.False(stranger.HasExited);
        }
        finally
        {
            stranger.Kill();
        }
    }

    [Fact]
    public async Task A_stopped_supervisor_is_shown_as_stale_holds_up_nobody_and_loses_nothing()
    {
        await using TestServer server = await TestServer.StartAsync();
        string gate = server.PathOf("gate");
        string id = await server.Rest.SubmitAsync($"echo begun; while [ ! -e '{gate}' ]; do sleep 0.02; done; echo done");
        await server.Rest.WaitForStateAsync(id, "running");
        ProcessIdentity supervisor = await server.SupervisorOfAsync(id);
        _ = Libc.Kill(supervisor.Pid, Libc.SigStop);
        await server.KillAsync();
        server.Launch();
        await server.WaitUntilListeningAsync();

        // While it is being asked in vain nothing is told that could be wrong.
        Assert.Equal(200, (await server.Rest.GetAsync("/healthz")).Status);
        RestReply early = await server.Rest.GetAsync($"/v1/executions/{id}");
        Assert.True(
            (early.Status, early.Code, early.Header("Retry-After")) == (503, "recovering", "1")
                || (early.Status == 200 && early.Execution.State == "running"),
            early.Text
        );
        await server.WaitUntilReadyAsync();
        await Patience.UntilAsync(
            async () => (await server.Rest.ExecutionAsync(id)).Supervisor == "stale",
            "the supervisor was shown as stale"
        );
        Assert.Equal("running", (await server.Rest.ExecutionAsync(id)).State);
        Assert.Equal("succeeded", (await server.Rest.WaitAsync(await server.Rest.SubmitAsync("true"))).State);
        Assert.True(supervisor.IsAlive());

        File.WriteAllText(gate, "");
        _ = Libc.Kill(supervisor.Pid, Libc.SigCont);
        ExecutionReply end = await server.Rest.WaitAsync(id);
        Assert.Equal(("succeeded", 1), (end.State, end.Attempt));
        Assert.Equal("begun\ndone\n", await server.Rest.OutputTextAsync(id));
    }

    /// <summary>
    /// Goal: an attempt that a server gave up as never started is never started after all. Method: the supervisor stops itself before it
    /// does anything; its server is killed; the next one finds nothing in the folder, voids it and runs the job as another attempt; then
    /// the late one goes on.
    /// </summary>
    [Fact]
    public async Task A_supervisor_that_comes_late_turns_back_and_the_job_runs_once()
    {
        await using TestServer server = TestServer.Prepare();
        string programs = CopyWithLateSupervisor(server);
        await server.StartAgainAsync(new TestServerOptions { Programs = programs });
        var truth = new TruthFile(server.PathOf("truth"));
        string id = await server.Rest.SubmitAsync(truth.Tell("ran"));
        HouseProcess? late = null;
        await Patience.UntilAsync(
            () => (late = HouseProcesses.Supervisors(server.Data).Find(static p => HouseProcesses.StateOf(p.Pid) == 'T')) is not null,
            "the supervisor had stopped itself"
        );
        await server.RestartAsync();
        ExecutionReply end = await server.Rest.WaitAsync(id);

        Assert.Equal(("succeeded", 2), (end.State, end.Attempt));
        Assert.True(late!.Identity.IsAlive());
        _ = Libc.Kill(late.Pid, Libc.SigCont);
        await Patience.UntilAsync(() => !late.Identity.IsAlive(), "the late supervisor had turned back");
        Assert.Single(truth.Read());
        Assert.Contains("given up", File.ReadAllText(server.AttemptsOf(id)[0].Log), StringComparison.Ordinal);
        Assert.False(File.Exists(server.AttemptsOf(id)[0].Supervisor));
    }

    /// <summary>
    /// The release with a supervisor that stops itself once, before anything else. The shell script keeps its pid when it becomes the real
    /// one.
    /// </summary>
    private static string CopyWithLateSupervisor(TestServer server)
    {
        string folder = server.PathOf("programs");
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.EnumerateFiles(Published.Release))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        string supervisor = Path.Combine(folder, "holdfast-supervisor");
        File.Delete(supervisor);
        File.WriteAllText(
            supervisor,
            $"#!/bin/sh\n[ -e '{folder}/stopped' ] || {{ : > '{folder}/stopped'; kill -STOP $$; }}\nexec '{Published.Release}/holdfast-supervisor' \"$@\"\n"
        );
        File.SetUnixFileMode(supervisor, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }
}
