using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// An execution in a reactive notebook's kernel that no cascade made: a client's, or one of a run in the order of the notebook.
/// </summary>
/// <param name="Noted">Under which id its row of reactive_edits stands.</param>
/// <param name="Cell">The notebook's cell that it ran; null when it is none's.</param>
/// <param name="SourceHash">Of what it ran; null when that is not known any more.</param>
/// <param name="Written">The names that its code makes or takes away.</param>
internal sealed record ClientRun(CellId Noted, CellId? Cell, Execution Execution, string? SourceHash, IReadOnlyList<string> Written);
