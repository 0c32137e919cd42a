using System.Text;
using Holdfast.Engine.Notebooks.Json;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>
/// When an execution went through its stages, for <c>metadata.execution</c>: the dates of the kernel's own messages, text unchanged, as
/// JupyterLab and nbclient store them.
/// </summary>
public readonly record struct ExecutionTimes(string? ExecuteInput, string? Busy, string? Idle, string? ExecuteReply)
{
    internal void Write(JsonText text)
    {
        text.StartObject();
        Write(text, "iopub.execute_input"u8, ExecuteInput);
        Write(text, "iopub.status.busy"u8, Busy);
        Write(text, "iopub.status.idle"u8, Idle);
        Write(text, "shell.execute_reply"u8, ExecuteReply);
        text.EndObject();
    }

    private static void Write(JsonText text, ReadOnlySpan<byte> name, string? date)
    {
        if (date is not null)
        {
            text.Name(name);
            text.String(Encoding.UTF8.GetBytes(date));
        }
    }
}
