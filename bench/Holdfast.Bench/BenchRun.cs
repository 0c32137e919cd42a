using Holdfast.Bench.Processes;
using Holdfast.Bench.Report;

namespace Holdfast.Bench;

/// <summary>What every bench works with.</summary>
internal sealed record BenchRun(BenchOptions Options, Sandbox Sandbox, BenchReport Report)
{
    public int Rounds => Options.Rounds;

    /// <summary>As many jobs run at once as the server's default, on every peer too.</summary>
    public static int Slots => Math.Max(2, 2 * Environment.ProcessorCount);

    /// <summary>How much of something: all of it, or in a smoke run just enough to see it work.</summary>
    public int Size(int full, int smoke) => Options.IsSmoke ? smoke : full;
}
