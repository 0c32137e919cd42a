using System.Text.Json;
using Holdfast.Engine.Terminals;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Terminals;

/// <summary>/api/terminals: list, start, look at, stop; and /terminals/websocket/{name}, where one is used.</summary>
internal static class TerminalEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        var sizes = new TerminalSizes();
        CancellationToken stopping = routes.ServiceProvider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        routes.MapGet("/api/terminals", (RequestDelegate)(context => ListAsync(context, door)));
        routes.MapPost("/api/terminals", (RequestDelegate)(context => StartAsync(context, door)));
        routes.MapGet(
            "/api/terminals/{name}",
            (RequestDelegate)(context => AnswerAsync(context, door.Engine.GetTerminal.Run(Name(context))))
        );
        routes.MapDelete(
            "/api/terminals/{name}",
            (RequestDelegate)(
                async context =>
                {
                    await door.Engine.StopTerminal.RunAsync(Name(context), context.RequestAborted);
                    await JupyterAnswer.EmptyAsync(context);
                }
            )
        );
        routes.MapGet(
            "/terminals/websocket/{name}",
            (RequestDelegate)(
                async context =>
                {
                    // Refused here, while there is still a status to answer with.
                    Terminal terminal = door.Engine.GetTerminal.Run(Name(context));
                    await TerminalSocket.AcceptAsync(context, door.Engine, terminal, sizes, stopping);
                }
            )
        );
    }

    /// <summary>200 and not 201: so Jupyter's own server answers.</summary>
    private static async Task StartAsync(HttpContext context, EngineDoor door)
    {
        JsonElement body = await JupyterBody.ReadObjectAsync(context);
        await AnswerAsync(
            context,
            await door.Engine.StartTerminal.RunAsync(JupyterBody.Text(body, "name"), JupyterBody.Text(body, "cwd"), context.RequestAborted)
        );
    }

    private static Task AnswerAsync(HttpContext context, Terminal terminal) =>
        JupyterAnswer.WriteAsync(context, 200, writer => TerminalModel.Write(writer, terminal));

    private static Task ListAsync(HttpContext context, EngineDoor door)
    {
        IReadOnlyList<Terminal> terminals = door.Engine.GetTerminal.List();
        return JupyterAnswer.WriteAsync(
            context,
            200,
            writer =>
            {
                writer.WriteStartArray();
                foreach (Terminal terminal in terminals)
                {
                    TerminalModel.Write(writer, terminal);
                }

                writer.WriteEndArray();
            }
        );
    }

    private static string Name(HttpContext context) => (string)context.Request.RouteValues["name"]!;
}
