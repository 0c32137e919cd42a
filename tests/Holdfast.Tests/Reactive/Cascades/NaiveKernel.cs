using Holdfast.Engine.Reactive;

namespace Holdfast.Tests.Reactive.Cascades;

/// <summary>A kernel that computes with words: the value of a name says from which source and which values it was made.</summary>
internal sealed class NaiveKernel
{
    public Dictionary<string, string> Names { get; } = [];

    /// <summary>Runs a cell; one that fails leaves half of its names, as a real one may.</summary>
    public void Run(string source, bool fails = false)
    {
        CellAnalysis cell = Sources.Analysis(source);
        string inputs = string.Join(',', cell.References.Select(n => Names.GetValueOrDefault(n, "?")));
        foreach (string name in fails ? cell.Definitions.Take(1) : cell.Definitions)
        {
            Names[name] = cell.Imports.ContainsKey(name)
                ? $"import {name}"
                : $"{name}:{(uint)$"{source}({inputs}){fails}".GetHashCode(StringComparison.Ordinal):x}";
        }

        foreach (string name in cell.Deletions)
        {
            Names.Remove(name);
        }
    }
}
