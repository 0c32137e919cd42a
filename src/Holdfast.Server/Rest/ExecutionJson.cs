using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Executions;

namespace Holdfast.Server.Rest;

/// <summary>Writes an execution as every REST answer has it: the same fields always, null where there is nothing to tell yet.</summary>
internal static class ExecutionJson
{
    public static void Write(Utf8JsonWriter writer, ExecutionView view)
    {
        Execution execution = view.Execution;
        writer.WriteStartObject();
        writer.WriteString("id", execution.Id.Value);
        writer.WriteString("kind", execution.Kind == ExecutionKind.Cell ? "cell" : "job");
        writer.WriteString("state", execution.State.Name());
        writer.WriteString("name", execution.Name);
        writer.WriteString("queue", execution.Queue);
        writer.WriteStartObject("labels");
        foreach ((string name, string value) in execution.Labels)
        {
            writer.WriteString(name, value);
        }

        writer.WriteEndObject();
        writer.WriteNumber("attempt", execution.Attempt);
        WriteNumber(writer, "exitCode", execution.ExitCode);
        WriteNumber(writer, "signal", execution.Signal);
        writer.WriteString("cause", execution.Cause);
        writer.WriteString("reason", execution.Reason);
        WriteTime(writer, "createdAt", execution.CreatedAt);
        WriteTime(writer, "startedAt", execution.StartedAt);
        WriteTime(writer, "finishedAt", execution.FinishedAt);
        WriteNumber(writer, "queuePosition", view.QueuePosition);
        WriteNumber(writer, "outputBytes", view.OutputBytes ?? execution.OutputBytes);
        writer.WriteBoolean("cancelRequested", execution.IsCancelRequested);
        if (view.IsOnTerminal)
        {
            writer.WriteBoolean("pty", true);
        }

        if (execution.RunId is not null)
        {
            writer.WriteString("runId", execution.RunId);
            writer.WriteString("cellId", execution.CellId);
            WriteNumber(writer, "cellIndex", execution.CellIndex);
        }

        if (execution.BlockedBy is { } upstream)
        {
            writer.WriteString("blockedBy", upstream.Value);
        }

        if (view.WaitsFor.Count > 0)
        {
            writer.WriteStartArray("waitsFor");
            foreach (string name in view.WaitsFor)
            {
                writer.WriteStringValue(name);
            }

            writer.WriteEndArray();
        }

        if (execution.KernelId is not null)
        {
            writer.WriteString("kernelId", execution.KernelId);
        }

        if (execution.MessageId is not null)
        {
            writer.WriteString("cellId", execution.CellId);
            writer.WriteString("messageId", execution.MessageId);
            writer.WriteStartObject("client");
            writer.WriteString("session", execution.ClientSession);
            writer.WriteString("username", execution.ClientUsername);
            writer.WriteEndObject();
        }

        if (view.FirstLine is not null)
        {
            writer.WriteString("firstLine", view.FirstLine);
        }

        if (view.Argv is { } argv)
        {
            writer.WriteStartArray("argv");
            foreach (string word in argv)
            {
                writer.WriteStringValue(word);
            }

            writer.WriteEndArray();
        }

        if (view.Code is not null)
        {
            writer.WriteString("code", view.Code);
        }

        if (view.SupervisorHealth is { } health)
        {
            writer.WriteString("supervisor", health.ToString().ToLowerInvariant());
        }

        if (view.StallReason is { } stall)
        {
            writer.WriteString("stalled", stall);
        }

        writer.WriteEndObject();
    }

    public static void WriteTime(Utf8JsonWriter writer, string name, long? microseconds) => writer.WriteTimeOrNull(name, microseconds);

    public static void WriteNumber(Utf8JsonWriter writer, string name, long? value) => writer.WriteNumberOrNull(name, value);
}
