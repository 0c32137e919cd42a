using Holdfast.Engine;
using Holdfast.Engine.Sessions;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Sessions;

/// <summary>/api/sessions: list, start, look at, change, stop.</summary>
internal static class SessionEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet(
            "/api/sessions",
            (RequestDelegate)(
                context =>
                {
                    IReadOnlyList<SessionView> sessions = door.Engine.GetSession.List();
                    return JupyterAnswer.WriteAsync(context, 200, writer => SessionModel.WriteList(writer, sessions));
                }
            )
        );
        routes.MapPost("/api/sessions", (RequestDelegate)(context => StartAsync(context, door)));
        routes.MapGet("/api/sessions/{id}", (RequestDelegate)(context => AnswerAsync(context, door, 200, Id(context))));
        routes.MapPatch(
            "/api/sessions/{id}",
            (RequestDelegate)(
                async context =>
                {
                    SessionChange change = SessionBody.ReadChange(await JupyterBody.ReadObjectAsync(context));
                    await door.Engine.ChangeSession.RunAsync(Id(context), change, context.RequestAborted);
                    await AnswerAsync(context, door, 200, Id(context));
                }
            )
        );
        routes.MapDelete(
            "/api/sessions/{id}",
            (RequestDelegate)(
                async context =>
                {
                    await door.Engine.StopSession.RunAsync(Id(context), context.RequestAborted);
                    await JupyterAnswer.EmptyAsync(context);
                }
            )
        );
    }

    private static async Task StartAsync(HttpContext context, EngineDoor door)
    {
        StartSessionRequest request = SessionBody.ReadStart(await JupyterBody.ReadObjectAsync(context));
        SessionId id;
        try
        {
            id = await door.Engine.StartSession.RunAsync(request, context.RequestAborted);
        }
        catch (RefusedException e) when (e.Code == ErrorCodes.KernelSpecNotFound)
        {
            // Clients show short_message in a dialogue of its own, and only with this status.
            await JupyterAnswer.WriteAsync(
                context,
                StatusCodes.Status501NotImplemented,
                writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("message", $"{e.Message} To use the document, choose another kernel, or install that one.");
                    writer.WriteString("short_message", e.Message);
                    writer.WriteString("reason", e.Code);
                    writer.WriteEndObject();
                }
            );
            return;
        }

        context.Response.Headers.Location = $"{context.Request.PathBase}/api/sessions/{id}";
        await AnswerAsync(context, door, 201, id);
    }

    private static Task AnswerAsync(HttpContext context, EngineDoor door, int status, SessionId id)
    {
        SessionView view = door.Engine.GetSession.Run(id);
        return JupyterAnswer.WriteAsync(context, status, writer => SessionModel.Write(writer, view));
    }

    private static SessionId Id(HttpContext context) => SessionId.Parse((string)context.Request.RouteValues["id"]!);
}
