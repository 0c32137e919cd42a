using System.Text.Json;

namespace Holdfast.Engine.Executions;

/// <summary>What the feed says of an execution whose state has changed.</summary>
internal static class ExecutionEvent
{
    public static void Write(Utf8JsonWriter writer, Execution execution)
    {
        writer.WriteString("id", execution.Id.Value);
        writer.WriteString("kind", ExecutionsTable.KindName(execution.Kind));
        writer.WriteString("state", execution.State.Name());
        writer.WriteNumber("attempt", execution.Attempt);
        if (execution.ExitCode is { } exitCode)
        {
            writer.WriteNumber("exitCode", exitCode);
        }

        if (execution.Signal is { } signal)
        {
            writer.WriteNumber("signal", signal);
        }

        if (execution.Reason is { } reason)
        {
            writer.WriteString("reason", reason);
        }

        if (execution is { RunId: { } run, CellIndex: { } cellIndex })
        {
            writer.WriteString("runId", run);
            writer.WriteNumber("cellIndex", cellIndex);
        }

        if (execution.KernelId is { } kernel)
        {
            writer.WriteString("kernelId", kernel);
        }

        if (execution.BlockedBy is { } upstream)
        {
            writer.WriteString("blockedBy", upstream.Value);
        }
    }
}
