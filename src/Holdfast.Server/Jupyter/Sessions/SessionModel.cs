using System.Text.Json;
using Holdfast.Engine.Sessions;
using Holdfast.Server.Jupyter.Kernels;

namespace Holdfast.Server.Jupyter.Sessions;

/// <summary>A session as Jupyter's clients check it; a notebook's has its path and name once more, as old clients read them.</summary>
internal static class SessionModel
{
    public static void Write(Utf8JsonWriter writer, SessionView view)
    {
        Session session = view.Session;
        writer.WriteStartObject();
        writer.WriteString("id", session.Id.Value);
        writer.WriteString("path", session.Path);
        writer.WriteString("name", session.Name);
        writer.WriteString("type", session.Type);
        writer.WritePropertyName("kernel");
        KernelModel.Write(writer, view.Kernel);
        if (session.Type == "notebook")
        {
            writer.WriteStartObject("notebook");
            writer.WriteString("path", session.Path);
            writer.WriteString("name", session.Name);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    public static void WriteList(Utf8JsonWriter writer, IReadOnlyList<SessionView> sessions)
    {
        writer.WriteStartArray();
        foreach (SessionView view in sessions)
        {
            Write(writer, view);
        }

        writer.WriteEndArray();
    }
}
