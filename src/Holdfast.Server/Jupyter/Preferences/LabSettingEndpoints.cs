using System.Text.Json;
using Holdfast.Engine.Preferences;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Preferences;

/// <summary>/lab/api/settings: a user's settings by plugin, with the schemas of the JupyterLab that is installed here.</summary>
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
                    IReadOnlyDictionary<string, LabSchema> schemas = door.Engine.LabSchemas.List();
                    Dictionary<string, LabSetting> saved = door.Engine.LabSettings.List().ToDictionary(static s => s.Id);
                    return JupyterAnswer.WriteAsync(
                        context,
                        200,
                        writer =>
                        {
                            writer.WriteStartObject();
                            writer.WriteStartArray("settings");
                            foreach (string id in schemas.Keys.Union(saved.Keys).Order(StringComparer.Ordinal))
                            {
                                LabSetting setting = saved.GetValueOrDefault(id) ?? LabSettings.Unsaved(id);
                                Write(writer, setting, schemas.GetValueOrDefault(id), isIdsOnly);
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
                    LabSchema? schema = door.Engine.LabSchemas.Find(setting.Id);
                    return JupyterAnswer.WriteAsync(context, 200, writer => Write(writer, setting, schema, isIdsOnly: false));
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

    private static void Write(Utf8JsonWriter writer, LabSetting setting, LabSchema? schema, bool isIdsOnly)
    {
        writer.WriteStartObject();
        writer.WriteString("id", setting.Id);
        if (!isIdsOnly)
        {
            writer.WriteString("raw", setting.Raw);
            writer.WritePropertyName("schema");
            if (schema is null)
            {
                writer.WriteStartObject(); // Of a plugin that is not installed here: its settings are kept all the same.
                writer.WriteString("type", "object");
                writer.WriteEndObject();
            }
            else
            {
                schema.Schema.WriteTo(writer);
            }

            writer.WritePropertyName("settings");
            setting.Value.WriteTo(writer);
            writer.WriteString("version", schema?.Version ?? "");
            writer.WriteString("created", PreferenceName.Time(setting.ModifiedAt));
            writer.WriteString("last_modified", PreferenceName.Time(setting.ModifiedAt));
        }

        writer.WriteEndObject();
    }
}
