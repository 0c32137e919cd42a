using System.Globalization;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>
/// The long run that people start: `./dev crash --minutes N --seed S`. Goal: no promise is broken whatever is killed when. Method: real programs under a mixed load,
/// kill -9 of the server and of supervisors at random moments; what the jobs wrote into their own truth file is held against what the server says of them.
/// </summary>
public sealed class RandomCrashes
{
    private const int JobsAtOnce = 8;
    private const double ServerKillShare = 0.7;

    private readonly List<AcknowledgedJob> _acknowledged = [];
    private readonly HashSet<string> _supervisorKilled = [];
    private readonly HashSet<string> _cancelled = [];
    private int _serverKills;
    private int _supervisorKills;
    private int _number;

    [Fact(Explicit = true)]
    public async Task Promises_hold_under_random_kills()
    {
        double minutes = double.Parse(Environment.GetEnvironmentVariable("HOLDFAST_CRASH_MINUTES") ?? "1", CultureInfo.InvariantCulture);
        int seed = int.Parse(Environment.GetEnvironmentVariable("HOLDFAST_CRASH_SEED") ?? "1", CultureInfo.InvariantCulture);
        var random = new Random(seed);
        await using TestServer server = await TestServer.StartAsync();
        var truth = new TruthFile(server.PathOf("truth"));
        long end = Environment.TickCount64 + (long)(minutes * 60_000);
        while (Environment.TickCount64 < end)
        {
            AcknowledgedJob[] round = new AcknowledgedJob[JobsAtOnce];
            for (int i = 0; i < round.Length; i++)
            {
                round[i] = await SubmitAsync(server, NextJob(truth, random));
                await PerhapsKillAsync(server, random);
            }

            await PerhapsCancelAsync(server, round[random.Next(round.Length)], random);
            await PerhapsKillAsync(server, random);
            foreach (AcknowledgedJob job in round)
            {
                _ = await server.PersistAsync(rest => rest.WaitAsync(job.Id));
                await PerhapsKillAsync(server, random);
            }
        }

        await ReportAsync(server, truth, seed);
    }

    private HouseJob NextJob(TruthFile truth, Random random)
    {
        string key = string.Create(CultureInfo.InvariantCulture, $"job-{++_number}");
        return random.Next(4) switch
        {
            0 => HouseJob.Failing(truth, key),
            1 => HouseJob.Printing(truth, key, 1 + random.Next(4), 1 + random.Next(200), 0.05),
            2 => HouseJob.WithChildren(truth, key, 0.05 + (random.NextDouble() / 4)),
            _ => HouseJob.Short(truth, key),
        };
    }

    private async Task<AcknowledgedJob> SubmitAsync(TestServer server, HouseJob job)
    {
        RestReply reply = await server.PersistAsync(rest => rest.PostAsync("/v1/jobs", job.Request, job.Key));
        var acknowledged = new AcknowledgedJob(job, reply.Status is 200 or 201 ? reply.Execution.Id : throw new InvalidOperationException(reply.Text));
        _acknowledged.Add(acknowledged);
        return acknowledged;
    }

    private async Task PerhapsCancelAsync(TestServer server, AcknowledgedJob job, Random random)
    {
        if (random.Next(4) == 0)
        {
            _cancelled.Add(job.Id);
            _ = await server.PersistAsync(rest => rest.CommandAsync(job.Id, "cancel"));
        }
    }

    private async Task PerhapsKillAsync(TestServer server, Random random)
    {
        if (random.Next(10) != 0)
        {
            return;
        }

        if (random.NextDouble() < ServerKillShare)
        {
            _serverKills++;
            await server.RestartAsync();
        }
        else if (HouseProcesses.Supervisors(server.Data) is { Count: > 0 } supervisors)
        {
            HouseProcess victim = supervisors[random.Next(supervisors.Count)];

            // Which attempt it holds now is not in its command line, and a moment later it may hold another: each job that is not over may be its.
            foreach (AcknowledgedJob job in _acknowledged)
            {
                if (!(await server.PersistAsync(rest => rest.ExecutionAsync(job.Id))).IsFinal)
                {
                    _supervisorKilled.Add(job.Id);
                }
            }

            _supervisorKills++;
            victim.Kill();
        }
    }

    private async Task ReportAsync(TestServer server, TruthFile truth, int seed)
    {
        await server.MustLeaveNothingAsync();
        var promises = new Promises(server, truth) { MayBeLost = job => _supervisorKilled.Contains(job.Id), MayBeCancelled = job => _cancelled.Contains(job.Id) };
        Violations violations = await promises.CheckAsync(_acknowledged);
        int lost = 0;
        foreach (AcknowledgedJob job in _acknowledged)
        {
            lost += (await server.PersistAsync(rest => rest.ExecutionAsync(job.Id))).State == "lost" ? 1 : 0;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"seed {seed}: {_serverKills} kills of the server, {_supervisorKills} of supervisors"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"acknowledged {_acknowledged.Count}, missing {violations.Missing.Count}, completed {_acknowledged.Count - lost}, lost {lost} (wrongly {violations.WronglyLost.Count}), " +
            $"duplicated {violations.Duplicated.Count}, wrong outcomes {violations.WrongOutcome.Count}, output mismatches {violations.OutputMismatch.Count}, orphans {violations.Orphans.Count}"));
        Assert.Empty(violations.All);
    }
}
