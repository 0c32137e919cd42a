namespace Holdfast.Engine.Recovery;

/// <summary>What is declared of one phase of start-up: which others it comes after, and what to do when it fails.</summary>
/// <param name="Mend">A sentence for whoever has to repair it.</param>
public sealed record PhaseDeclaration(string Name, IReadOnlyList<string> After, string Mend)
{
    /// <summary>The server refuses to start without it: everything that came after would be built on sand.</summary>
    public bool IsCritical { get; init; }

    /// <summary>Left out when one that it comes after has failed, because it acts on what that one found.</summary>
    public bool NeedsSuccess { get; init; }

    /// <summary>Whether a person may run it again while the server runs.</summary>
    public bool IsRepeatable { get; init; } = true;
}
