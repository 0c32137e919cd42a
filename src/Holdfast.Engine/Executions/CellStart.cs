namespace Holdfast.Engine.Executions;

/// <summary>When a cell's request was given to its kernel, and where it stands in the journal.</summary>
public readonly record struct CellStart(long AtMicroseconds, long Position);
