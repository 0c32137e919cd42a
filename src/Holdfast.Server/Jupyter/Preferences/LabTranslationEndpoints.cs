using System.Text.Json;

namespace Holdfast.Server.Jupyter.Preferences;

/// <summary>
/// /lab/api/translations: Lab starts nothing before it has been told in which language to speak, and it is English: there are no language
/// packs here.
/// </summary>
internal static class LabTranslationEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/lab/api/translations", (RequestDelegate)(context => AnswerAsync(context, WriteEnglish, "")));
        routes.MapGet(
            "/lab/api/translations/{locale}",
            (RequestDelegate)(
                context =>
                {
                    string locale = (string)context.Request.RouteValues["locale"]!;
                    bool isEnglish = locale is "default" or "en" or "en_US" or "en-US";
                    return AnswerAsync(context, static _ => { }, isEnglish ? "" : $"There is no language pack for '{locale}' here.");
                }
            )
        );
    }

    private static Task AnswerAsync(HttpContext context, Action<Utf8JsonWriter> writeLanguages, string message) =>
        JupyterAnswer.WriteAsync(
            context,
            200,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteStartObject("data");
                writeLanguages(writer);
                writer.WriteEndObject();
                writer.WriteString("message", message);
                writer.WriteEndObject();
            }
        );

    private static void WriteEnglish(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("en");
        writer.WriteString("displayName", "English");
        writer.WriteString("nativeName", "English");
        writer.WriteEndObject();
    }
}
