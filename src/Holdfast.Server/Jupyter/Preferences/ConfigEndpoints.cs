using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Preferences;

/// <summary>/api/config/{section}: a front end's configuration, one JSON object per section.</summary>
internal static class ConfigEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet(
            "/api/config/{section}",
            (RequestDelegate)(context => AnswerAsync(context, door.Engine.Config.Get(Section(context))))
        );
        routes.MapPut(
            "/api/config/{section}",
            (RequestDelegate)(
                async context =>
                {
                    door.Engine.Config.Replace(Section(context), await JupyterBody.ReadObjectAsync(context));
                    await JupyterAnswer.EmptyAsync(context);
                }
            )
        );
        routes.MapPatch(
            "/api/config/{section}",
            (RequestDelegate)(
                async context =>
                {
                    JsonElement changes = await JupyterBody.ReadObjectAsync(context);
                    await AnswerAsync(context, door.Engine.Config.Merge(Section(context), changes));
                }
            )
        );
    }

    private static Task AnswerAsync(HttpContext context, JsonObject section) =>
        JupyterAnswer.WriteAsync(context, 200, writer => section.WriteTo(writer));

    private static string Section(HttpContext context) => (string)context.Request.RouteValues["section"]!;
}
