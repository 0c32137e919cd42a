using System.Buffers;
using System.Text.Json;
using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Callbacks;

/// <summary>What is sent: docs/spec/callbacks.md. Written once, at the outcome; the same bytes at every attempt.</summary>
public static class CallbackBody
{
    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static byte[] Write(string type, long at, Action<Utf8JsonWriter> writeData)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            writer.WriteString("type", type);
            writer.WriteString("timestamp", UnixTime.Text(at));
            writer.WriteStartObject("data");
            writeData(writer);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>An execution as GET /v1/executions/{id} has it.</summary>
    public static void WriteExecution(Utf8JsonWriter writer, Execution execution)
    {
        writer.WriteString("id", execution.Id.Value);
        writer.WriteString("kind", execution.Kind == ExecutionKind.Cell ? "cell" : "job");
        writer.WriteString("state", execution.State.Name());
        writer.WriteString("name", execution.Name);
        writer.WriteStartObject("labels");
        foreach ((string name, string value) in execution.Labels)
        {
            writer.WriteString(name, value);
        }

        writer.WriteEndObject();
        writer.WriteNumber("attempt", execution.Attempt);
        writer.WriteNumberOrNull("exitCode", execution.ExitCode);
        writer.WriteNumberOrNull("signal", execution.Signal);
        writer.WriteString("cause", execution.Cause);
        writer.WriteString("reason", execution.Reason);
        writer.WriteTimeOrNull("createdAt", execution.CreatedAt);
        writer.WriteTimeOrNull("startedAt", execution.StartedAt);
        writer.WriteTimeOrNull("finishedAt", execution.FinishedAt);
        writer.WriteNumberOrNull("outputBytes", execution.OutputBytes);
    }
}
