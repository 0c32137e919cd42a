using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;
using Holdfast.Soak.Books;
using Holdfast.SystemTests.Serving;

namespace Holdfast.Soak.Mischief;

/// <summary>
/// Kills servers, supervisors and kernels, restarts the server in order, and stops processes for a while, at random; one deed at a time,
/// but for what stands still meanwhile.
/// </summary>
internal sealed class Killer(House house, Ledger ledger, Victims victims, MischiefPlan plan, Random random)
{
    private const int DownMsMax = 400;
    private const int RecoveryMsMax = 500;
    private const int RecoveryKillsMax = 3;
    private readonly List<Task> _stopped = [];

    public async Task RunAsync(CancellationToken until)
    {
        try
        {
            while (true)
            {
                // On a slow machine servers start slowly, and would never be there for long.
                await Task.Delay((plan.PauseMax * random.NextDouble()) + house.LatestStart, TimeProvider.System, until);
                await DoAsync(plan.Next(random));
            }
        }
        catch (OperationCanceledException) when (until.IsCancellationRequested)
        {
            // The time is up: peace.
        }

        await Task.WhenAll(_stopped);
    }

    /// <summary>Kills the server and starts it again.</summary>
    public async Task KillServerAsync(bool alsoASupervisor = false)
    {
        await house.KillAsync();
        Count("server, kill -9");
        if (alsoASupervisor)
        {
            KillSupervisor();
        }

        await DownAsync();
        await house.StartAsync();
    }

    private async Task DoAsync(Deed deed)
    {
        switch (deed)
        {
            case Deed.KillServer:
                await KillServerAsync();
                break;
            case Deed.KillServerAndSupervisor:
                await KillServerAsync(alsoASupervisor: true);
                break;
            case Deed.KillServerWhileItRecovers:
                await KillInRecoveryAsync();
                break;
            case Deed.RestartServer:
                await RestartAsync();
                break;
            case Deed.KillSupervisor:
                KillSupervisor();
                break;
            case Deed.KillKernel:
                KillKernel();
                break;
            case Deed.StopSupervisor:
                if (PickSupervisor() is { } supervisor)
                {
                    _stopped.Add(StopAsync(supervisor.Identity, "supervisor, SIGSTOP"));
                }

                break;
            case Deed.StopServer:
                if (ProcessIdentity.Of(house.Server.Process.Id) is { } server)
                {
                    await StopAsync(server, "server, SIGSTOP");
                }

                break;
        }
    }

    private async Task RestartAsync()
    {
        int code = await house.StopAsync();
        Count("server, SIGTERM");
        if (code != 0)
        {
            ledger.Break(Fault.WrongOutcome, $"A server that was asked to stop ended with {code}.");
        }

        await DownAsync();
        await house.StartAsync();
    }

    /// <summary>Starts it and kills it before it is ready, more than once.</summary>
    private async Task KillInRecoveryAsync()
    {
        await house.KillAsync();
        Count("server, kill -9");
        for (int kill = random.Next(RecoveryKillsMax); kill >= 0; kill--)
        {
            house.Server.Launch();
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(RecoveryMsMax)), TimeProvider.System, CancellationToken.None);
            await house.KillAsync();
            Count("server, kill -9 at its start");
        }

        await house.StartAsync();
    }

    private void KillSupervisor()
    {
        if (PickSupervisor() is { } victim)
        {
            // Noted first: what it holds may be found lost before this line is left.
            victims.NoteSupervisor(victim);
            victim.Kill();
            Count(Victims.IsKernels(victim) ? "kernel's supervisor, kill -9" : "job's supervisor, kill -9");
        }
    }

    private void KillKernel()
    {
        List<HouseProcess> kernels = HouseProcesses
            .Work(house.Server.Data)
            .FindAll(static p => p.CommandLine.Contains("ipykernel", StringComparison.Ordinal));
        if (kernels.Count > 0)
        {
            HouseProcess victim = kernels[random.Next(kernels.Count)];
            victims.NoteKernel(victim.Attempt!);
            victim.Kill();
            Count("kernel, kill -9");
        }
    }

    private async Task StopAsync(ProcessIdentity process, string what)
    {
        _ = Libc.Kill(process.Pid, Libc.SigStop);
        Count(what);
        await Task.Delay(plan.StopMax * random.NextDouble(), TimeProvider.System, CancellationToken.None);
        if (process.IsAlive())
        {
            _ = Libc.Kill(process.Pid, Libc.SigCont);
        }
    }

    /// <summary>Most often one whose work runs: the others, idle or just taking or ending something, are many and lose little.</summary>
    private HouseProcess? PickSupervisor()
    {
        string data = house.Server.Data;
        List<HouseProcess> all = HouseProcesses.Supervisors(data);
        if (
            random.Next(4) > 0
            && HouseProcesses.Work(data) is { Count: > 0 } work
            && HolderOf(work[random.Next(work.Count)].Attempt!) is { } holder
        )
        {
            return all.Find(p => p.Identity == holder);
        }

        return all.Count == 0 ? null : all[random.Next(all.Count)];
    }

    private ProcessIdentity? HolderOf(string attempt)
    {
        try
        {
            return SupervisorRecord
                .Read(File.ReadAllBytes(new AttemptFiles(Path.Combine(house.Server.Data, "attempts", attempt)).Supervisor))
                .Process;
        }
        catch (Exception e) when (e is IOException or AttemptFormatException)
        {
            return null;
        }
    }

    private Task DownAsync() => Task.Delay(TimeSpan.FromMilliseconds(random.Next(DownMsMax)), TimeProvider.System, CancellationToken.None);

    private void Count(string deed) => ledger.Deeds.AddOrUpdate(deed, 1, static (_, count) => count + 1);
}
