using System.Text.Json;
using Holdfast.Engine.Preferences;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Preferences;

/// <summary>/lab/api/settings: a user's settings by plugin, for a Lab that is served elsewhere and keeps them here.</summary>
internal static class LabSettingEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet(
            "/lab/api/settings",
            (RequestDelegate)(
                context =>
                {
                    bool isIdsOnly = context.Request.Query["ids_only"] == "true";
                    IReadOnlyList<LabSetting> settings = door.Engine.LabSettings.List();
                    return JupyterAnswer.WriteAsync(
                        context,
                        200,
                        writer =>
                        {
                            writer.WriteStartObject();
                            writer.WriteStartArray("settings");
                            foreach (LabSetting setting in settings)
                            {
                                Write(writer, setting, isIdsOnly);
                            }

                            writer.WriteEndArray();
                            writer.WriteEndObject();
                        }
                    );
                }
            )
        );
        routes.MapGet(
            "/lab/api/settings/{**id}",
            (RequestDelegate)(
                context =>
                {
                    LabSetting setting = door.Engine.LabSettings.Get(PreferenceName.Of(context, "id"));
                    return JupyterAnswer.WriteAsync(context, 200, writer => Write(writer, setting, isIdsOnly: false));
                }
            )
        );
        routes.MapPut(
            "/lab/api/settings/{**id}",
            (RequestDelegate)(
                async context =>
                {
                    JsonElement body = await JupyterBody.ReadObjectAsync(context);
                    door.Engine.LabSettings.Save(PreferenceName.Of(context, "id"), JupyterBody.Text(body, "raw") ?? "{}");
                    await JupyterAnswer.EmptyAsync(context);
                }
            )
        );
    }

    private static void Write(Utf8JsonWriter writer, LabSetting setting, bool isIdsOnly)
    {
        writer.WriteStartObject();
        writer.WriteString("id", setting.Id);
        if (!isIdsOnly)
        {
            writer.WriteString("raw", setting.Raw);
            writer.WriteStartObject("schema"); // Lab's own, which has it.
            writer.WriteString("type", "object");
            writer.WriteEndObject();
            writer.WritePropertyName("settings");
            setting.Value.WriteTo(writer);
            writer.WriteString("version", "");
            writer.WriteString("created", PreferenceName.Time(setting.ModifiedAt));
            writer.WriteString("last_modified", PreferenceName.Time(setting.ModifiedAt));
        }

        writer.WriteEndObject();
    }
}
