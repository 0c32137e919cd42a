namespace Holdfast.Bench;

/// <summary>One group of figures that are taken together, since they need the same server in the same state.</summary>
internal interface IBench
{
    string Name { get; }

    /// <summary>What is measured, in a line.</summary>
    string What { get; }

    void Run(BenchRun run);
}
