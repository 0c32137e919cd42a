using Holdfast.Soak.Books;
using Holdfast.Soak.Mischief;
using Holdfast.SystemTests.Serving;

namespace Holdfast.Soak.Load;

/// <summary>What every player of the load has: whom it asks, where it writes down what it was promised, and who was killed.</summary>
internal sealed record Stage(House House, Ledger Ledger, Victims Victims)
{
    /// <summary>One piece that takes longer is worth a line, and no fault: the machine may be slow, or its supervisor stopped.</summary>
    private static readonly TimeSpan SlowFrom = TimeSpan.FromSeconds(40);

    private int _number;

    public TestServer Server => House.Server;

    /// <summary>A name that nothing else in this run has.</summary>
    public string NextName(string kind) => $"{kind}-{Interlocked.Increment(ref _number)}";

    /// <summary>A truth file for one thing, so that looking at it costs no more the longer the run is.</summary>
    public TruthFile Truth(string name)
    {
        string folder = Server.PathOf("truth");
        Directory.CreateDirectory(folder);
        return new TruthFile(Path.Combine(folder, name));
    }

    /// <summary>Plays one piece after the other until the time is up; one that fails is a promise broken, and the next is played.</summary>
    public async Task RepeatAsync(string kind, Func<Task> play, CancellationToken until)
    {
        while (!until.IsCancellationRequested)
        {
            await GuardAsync(kind, play);
        }
    }

    public async Task GuardAsync(string kind, Func<Task> play)
    {
        long start = TimeProvider.System.GetTimestamp();
        try
        {
            await play();
        }
        catch (ServerDiedException)
        {
            throw; // Nobody will start it again.
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Ledger.Break(Fault.Stuck, $"{kind}: {e}");
        }

        TimeSpan took = TimeProvider.System.GetElapsedTime(start);
        if (took > SlowFrom)
        {
            Ledger.Did("pieces that took long");
            await Console.Error.WriteLineAsync($"{kind} took {took.TotalSeconds:0} s");
        }
    }

    /// <summary>
    /// Whether a kernel did not answer for a minute when it was started: a machine that has no time for it is nobody's broken promise.
    /// </summary>
    public async Task<bool> IsStartedTooLateAsync(string kernel) =>
        (await House.PersistAsync(rest => rest.GetAsync("/v1/kernels/" + kernel))).Text.Contains("startTimedOut", StringComparison.Ordinal);

    /// <summary>Writes down what was found broken in one thing, and what was compared.</summary>
    public void Take(Violations violations)
    {
        Ledger.Compared(violations.BytesCompared, violations.BytesWrong);
        Break(Fault.Missing, violations.Missing);
        Break(Fault.Doubled, violations.Duplicated);
        Break(Fault.WronglyLost, violations.WronglyLost);
        Break(Fault.WrongOutcome, violations.WrongOutcome);
        Break(Fault.WrongBytes, violations.OutputMismatch);
    }

    private void Break(Fault fault, List<string> sentences) => sentences.ForEach(s => Ledger.Break(fault, s));
}
