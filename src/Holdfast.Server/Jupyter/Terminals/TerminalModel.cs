using System.Text.Json;
using Holdfast.Engine.Terminals;

namespace Holdfast.Server.Jupyter.Terminals;

/// <summary>A terminal as Jupyter's clients know it; <c>execution_id</c> is ours, by which it is found among the executions.</summary>
internal static class TerminalModel
{
    public static void Write(Utf8JsonWriter writer, Terminal terminal)
    {
        writer.WriteStartObject();
        writer.WriteString("name", terminal.Name);
        writer.WriteString("last_activity", JupyterText.Time(terminal.LastActivity));
        writer.WriteString("execution_id", terminal.ExecutionId.Value);
        writer.WriteEndObject();
    }
}
