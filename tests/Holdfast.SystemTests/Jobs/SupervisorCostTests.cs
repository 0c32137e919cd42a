using System.Reflection.PortableExecutable;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jobs;

/// <summary>What every one of many supervisors would pay for: the run-time compiler, and threads beside its loop.</summary>
public sealed class SupervisorCostTests(SharedServer shared) : IClassFixture<SharedServer>
{
    /// <summary>The loop, and two that the runtime always has: the finalizer and the one for signals.</summary>
    private const int ThreadsMax = 3;

    [Fact]
    public async Task A_supervisor_that_has_held_many_jobs_has_never_loaded_the_compiler_and_has_no_thread_of_its_own_but_the_loop()
    {
        Assert.SkipUnless(IsCompiledAhead(), "The published supervisor is not compiled ahead of time.");
        RestClient rest = shared.Server.Rest;
        for (int i = 0; i < 40; i++)
        {
            // Output, an end by failure and one by a signal: what jobs do all day.
            await rest.WaitAsync(
                await rest.SubmitAsync(
                    i % 3 == 0 ? "echo out; echo err >&2"
                    : i % 3 == 1 ? "exit 3"
                    : "kill -9 $$"
                )
            );
        }

        List<HouseProcess> supervisors = HouseProcesses.Supervisors(shared.Server.Data);
        Assert.NotEmpty(supervisors);
        foreach (HouseProcess supervisor in supervisors)
        {
            Assert.DoesNotContain(
                "libclrjit",
                await File.ReadAllTextAsync($"/proc/{supervisor.Pid}/maps", TestContext.Current.CancellationToken),
                StringComparison.Ordinal
            );
            Assert.InRange(Directory.GetDirectories($"/proc/{supervisor.Pid}/task").Length, 1, ThreadsMax);
        }
    }

    [Fact]
    public async Task Orphans_are_reaped_as_they_end_while_the_job_goes_on()
    {
        RestClient rest = shared.Server.Rest;
        string folder = Directory.CreateTempSubdirectory("hf-orphans-").FullName;
        string id = await rest.SubmitAsync(
            $"cd {folder}; for i in 1 2 3; do (sh -c 'echo $$ > tmp'$i'; mv tmp'$i' pid'$i &); done; while [ ! -e go ]; do sleep 0.02; done"
        );
        await rest.WaitForStateAsync(id, "running");

        foreach (string name in (string[])["pid1", "pid2", "pid3"])
        {
            string path = Path.Combine(folder, name);
            await Patience.UntilAsync(() => File.Exists(path), $"{name} began");
            string pid = (await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).Trim();
            await Patience.UntilAsync(() => !Directory.Exists($"/proc/{pid}"), $"{name} was reaped");
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "go"), "", TestContext.Current.CancellationToken);
        Assert.Equal("succeeded", (await rest.WaitAsync(id)).State);
        Directory.Delete(folder, recursive: true);
    }

    private static bool IsCompiledAhead()
    {
        using FileStream file = File.OpenRead(Path.Combine(Published.Release, "holdfast-supervisor.dll"));
        using var reader = new PEReader(file);
        return reader.PEHeaders.CorHeader?.ManagedNativeHeaderDirectory.Size > 0;
    }
}
