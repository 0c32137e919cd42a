using System.Text.Json;
using Holdfast.Engine.Kernels;

namespace Holdfast.Server.Jupyter.Kernels;

/// <summary>A kernel as Jupyter's clients check it.</summary>
internal static class KernelModel
{
    public static void Write(Utf8JsonWriter writer, KernelView view)
    {
        writer.WriteStartObject();
        writer.WriteString("id", view.Kernel.Id.Value);
        writer.WriteString("name", view.Kernel.SpecName);
        writer.WriteString("last_activity", JupyterText.Time(view.LastActivityAt));
        writer.WriteString("execution_state", view.ExecutionState);
        writer.WriteNumber("connections", view.Connections);
        if (view.Kernel.Reason is { } reason)
        {
            writer.WriteString("reason", reason);
        }

        writer.WriteEndObject();
    }
}
