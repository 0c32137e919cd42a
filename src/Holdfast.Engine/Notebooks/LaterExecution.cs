using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Notebooks;

/// <summary>An execution of a notebook's code that may have said something since the notebook was saved.</summary>
/// <param name="MessageId">The msg_id of its request, which all that it said has as its parent.</param>
/// <param name="Source">The code as it was sent; null where only the journal has it.</param>
internal sealed record LaterExecution(Execution Execution, string MessageId, string? Source)
{
    public bool IsOver => Execution.State.IsTerminal();
}
