using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Holdfast.Soak.Books;
using Holdfast.SystemTests.Serving;

namespace Holdfast.Soak.Load;

/// <summary>
/// Makes jobs whose bytes are known beforehand, some with locks and some with a callback. A job that has a lock also takes a flock of the
/// system's own for as long as it lives, and says so when another has it; and it writes down its fence, so that the order of a lock's
/// holders is known.
/// </summary>
internal sealed class JobMaker(Stage stage, Hooks hooks)
{
    private static readonly string[] LockNames = ["ledger", "a name / of 'any' kind", "third"];
    private readonly ConcurrentDictionary<string, bool> _made = new();

    public HouseJob Next(Random random)
    {
        string key = stage.NextName("job");
        TruthFile truth = stage.Truth(key);
        HouseJob job = random.Next(10) switch
        {
            0 => HouseJob.Failing(truth, key),
            1 or 2 => HouseJob.Printing(truth, key, 1 + random.Next(6), 1 + random.Next(200), 0.05),
            3 => HouseJob.WithChildren(truth, key, 0.05 + (random.NextDouble() / 4)),
            4 => HouseJob.Printing(truth, key, 1, 1, 1 + (2 * random.NextDouble())),
            5 => Large(truth, key, 20_000 + random.Next(200_000)),
            _ => HouseJob.Short(truth, key),
        };
        if (random.Next(3) == 0)
        {
            job = Locked(job, truth, [.. LockNames.Where(_ => random.Next(2) == 0)]);
        }

        if (random.Next(3) == 0)
        {
            job = job with { Callback = hooks.Url(key) };
        }

        _made[key] = true;
        return job;
    }

    /// <summary>A lock's holder was never met by another.</summary>
    public static void CheckLocks(HouseJob job, TruthFile truth, Ledger ledger)
    {
        if (job.Locks.Length > 0 && truth.Read().Exists(static t => t.Word == "busy"))
        {
            ledger.Break(Fault.LockBroken, $"{job.Key} had {string.Join(", ", job.Locks)}, and so had another");
        }
    }

    /// <summary>The fences of each lock's holders only grow.</summary>
    public void CheckFences(Ledger ledger)
    {
        for (int i = 0; i < LockNames.Length; i++)
        {
            string file = FencesOf(i);
            long[] fences = File.Exists(file)
                ? [.. File.ReadAllLines(file).Select(static l => long.Parse(l, CultureInfo.InvariantCulture))]
                : [];
            ledger.Did("locks held", fences.Length);
            int at = Enumerable.Range(1, Math.Max(fences.Length - 1, 0)).FirstOrDefault(n => fences[n] <= fences[n - 1]);
            if (at > 0)
            {
                ledger.Break(Fault.LockBroken, $"The lock {LockNames[i]} was held by {fences[at]} after {fences[at - 1]}.");
            }
        }
    }

    /// <summary>A job tells nothing after it was checked: what it told then is all.</summary>
    public void CheckNobodyRanAgain(Ledger ledger)
    {
        foreach (string key in _made.Keys)
        {
            List<Truth> starts = stage.Truth(key).Read().FindAll(static t => t.Word == "start");
            if (starts.DistinctBy(static t => t.Attempt).Count() != starts.Count)
            {
                ledger.Break(Fault.Doubled, $"{key} was started twice under one fence");
            }
        }
    }

    private HouseJob Locked(HouseJob job, TruthFile truth, string[] names)
    {
        var script = new StringBuilder();
        foreach (string name in names)
        {
            int number = Array.IndexOf(LockNames, name);
            script.Append(
                CultureInfo.InvariantCulture,
                $"exec {7 + number}>>'{FencesOf(number)}'; flock -n {7 + number} || {truth.Tell("busy")}; echo $HOLDFAST_LOCK_FENCE >&{7 + number}; "
            );
        }

        return job with
        {
            Locks = names,
            Script = script + job.Script,
        };
    }

    private string FencesOf(int number) => stage.Server.PathOf(string.Create(CultureInfo.InvariantCulture, $"fences-{number}"));

    private static HouseJob Large(TruthFile truth, string key, int lines)
    {
        var text = new StringBuilder();
        for (int line = 1; line <= lines; line++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{line}\n");
        }

        return new HouseJob(
            key,
            string.Create(CultureInfo.InvariantCulture, $"{truth.Tell("start")}; seq 1 {lines}; {truth.Tell("end")}"),
            text.ToString(),
            "",
            0
        );
    }
}
