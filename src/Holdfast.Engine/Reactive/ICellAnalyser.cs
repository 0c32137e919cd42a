namespace Holdfast.Engine.Reactive;

/// <summary>Says what a source defines and references, in a process that never runs it. One per language and interpreter.</summary>
public interface ICellAnalyser
{
    Task<CellAnalysis> AnalyseAsync(string source, CancellationToken cancellationToken);
}
