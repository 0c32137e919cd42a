using System.Text.Json;
using Holdfast.Engine.Preferences;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Preferences;

/// <summary>/lab/api/workspaces: saved layouts of Lab's windows.</summary>
internal static class LabWorkspaceEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet(
            "/lab/api/workspaces",
            (RequestDelegate)(
                context =>
                {
                    IReadOnlyList<LabWorkspace> workspaces = door.Engine.LabWorkspaces.List();
                    return JupyterAnswer.WriteAsync(context, 200, writer => WriteList(writer, workspaces));
                }
            )
        );
        routes.MapGet(
            "/lab/api/workspaces/{**id}",
            (RequestDelegate)(
                context =>
                {
                    LabWorkspace workspace = door.Engine.LabWorkspaces.Get(PreferenceName.Of(context, "id"));
                    return JupyterAnswer.WriteAsync(context, 200, writer => Write(writer, workspace));
                }
            )
        );
        routes.MapPut(
            "/lab/api/workspaces/{**id}",
            (RequestDelegate)(
                async context =>
                {
                    door.Engine.LabWorkspaces.Save(PreferenceName.Of(context, "id"), await JupyterBody.ReadObjectAsync(context));
                    await JupyterAnswer.EmptyAsync(context);
                }
            )
        );
        routes.MapDelete(
            "/lab/api/workspaces/{**id}",
            (RequestDelegate)(
                context =>
                {
                    door.Engine.LabWorkspaces.Delete(PreferenceName.Of(context, "id"));
                    return JupyterAnswer.EmptyAsync(context);
                }
            )
        );
    }

    private static void WriteList(Utf8JsonWriter writer, IReadOnlyList<LabWorkspace> workspaces)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("workspaces");
        writer.WriteStartArray("ids");
        foreach (LabWorkspace workspace in workspaces)
        {
            writer.WriteStringValue(workspace.Id);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("values");
        foreach (LabWorkspace workspace in workspaces)
        {
            Write(writer, workspace);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>As it was saved, with the times that only the server knows.</summary>
    private static void Write(Utf8JsonWriter writer, LabWorkspace workspace)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("data");
        if (workspace.Content.ValueKind == JsonValueKind.Object && workspace.Content.TryGetProperty("data", out JsonElement data))
        {
            data.WriteTo(writer);
        }
        else
        {
            writer.WriteStartObject();
            writer.WriteEndObject();
        }

        writer.WriteStartObject("metadata");
        writer.WriteString("id", workspace.Id);
        if (workspace.ModifiedAt is { } at)
        {
            writer.WriteString("created", PreferenceName.Time(at));
            writer.WriteString("last_modified", PreferenceName.Time(at));
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
