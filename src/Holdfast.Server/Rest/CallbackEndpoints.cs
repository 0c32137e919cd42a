using System.Text;
using System.Text.Json;
using Holdfast.Engine.Callbacks;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>/v1/callbacks: who was told what, who could not be, and sending again by hand. Secrets are never shown.</summary>
internal static class CallbackEndpoints
{
    private const int ListDefault = 100;

    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet(
            "/v1/callbacks",
            (RequestDelegate)(
                context =>
                {
                    CallbackState? state = RestQuery.Text(context, "state") is { } name ? State(name) : null;
                    int limit = (int?)RestQuery.Number(context, "limit", 1, CallbackLimits.ListMax) ?? ListDefault;
                    IReadOnlyList<CallbackView> callbacks = door.Engine.ListCallbacks.Run(
                        RestQuery.Text(context, "executionId") ?? RestQuery.Text(context, "runId"),
                        state,
                        limit
                    );
                    return RestAnswer.WriteAsync(
                        context,
                        200,
                        writer =>
                        {
                            writer.WriteStartArray();
                            foreach (CallbackView view in callbacks)
                            {
                                Write(writer, view);
                            }

                            writer.WriteEndArray();
                        }
                    );
                }
            )
        );
        routes.MapPost("/v1/callbacks/redrive", (RequestDelegate)(context => RedriveAsync(context, door)));
        routes.MapPost(
            "/v1/callbacks/{id}/redrive",
            (RequestDelegate)(
                async context =>
                {
                    CallbackView view = await door.Engine.RedriveCallback.RunAsync(
                        CallbackId.Parse((string)context.Request.RouteValues["id"]!),
                        context.RequestAborted
                    );
                    await RestAnswer.WriteAsync(context, 200, writer => Write(writer, view));
                }
            )
        );
    }

    private static CallbackState State(string name) =>
        CallbackStates.TryParse(name, out CallbackState known)
            ? known
            : throw RestQuery.Invalid("state", name, $"one of {string.Join(", ", CallbackStates.All)}");

    private static async Task RedriveAsync(HttpContext context, EngineDoor door)
    {
        RedriveCallbacksBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.RedriveCallbacksBody);
        RedrivePage page = await door.Engine.RedriveCallbacks.RunAsync(
            new RedriveRequest(State(body.State ?? ""), body.After is null ? null : CallbackId.Parse(body.After), body.DryRun ?? false),
            context.RequestAborted
        );
        await RestAnswer.WriteAsync(
            context,
            200,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteBoolean("dryRun", page.IsDryRun);
                WriteTexts(writer, "callbacks", [.. page.Callbacks.Select(static id => id.Value)]);
                writer.WriteBoolean("more", page.HasMore);
                writer.WriteEndObject();
            }
        );
    }

    private static void Write(Utf8JsonWriter writer, CallbackView view)
    {
        Callback callback = view.Callback;
        writer.WriteStartObject();
        writer.WriteString("id", callback.Id.Value);
        writer.WriteString("executionId", callback.Kind == CallbackSubject.Execution ? callback.SubjectId : null);
        writer.WriteString("runId", callback.Kind == CallbackSubject.Run ? callback.SubjectId : null);
        writer.WriteString("url", callback.Order.Url);
        WriteTexts(writer, "argv", callback.Order.Argv);
        writer.WriteString("state", callback.Status.State.Name());
        writer.WriteString("type", callback.Type);
        writer.WriteString("reason", callback.Reason);
        ExecutionJson.WriteTime(writer, "dueAt", callback.Status.State == CallbackState.Pending ? callback.Status.DueAt : null);
        ExecutionJson.WriteTime(writer, "createdAt", callback.CreatedAt);
        ExecutionJson.WriteTime(writer, "settledAt", callback.SettledAt);
        writer.WriteNumber("redrives", callback.Redrives);
        ExecutionJson.WriteTime(writer, "redrivenAt", callback.RedrivenAt);
        writer.WriteString("redrivenBy", callback.RedrivenBy);
        writer.WriteStartArray("schedule");
        foreach (double seconds in callback.Order.Schedule.Seconds)
        {
            writer.WriteNumberValue(seconds);
        }

        writer.WriteEndArray();
        writer.WriteBoolean("signed", callback.Order.Secrets.Count > 0);
        writer.WriteStartArray("attempts");
        foreach (CallbackAttempt attempt in view.Attempts)
        {
            writer.WriteStartObject();
            writer.WriteNumber("number", attempt.Number);
            ExecutionJson.WriteTime(writer, "at", attempt.StartedAt);
            ExecutionJson.WriteTime(writer, "finishedAt", attempt.FinishedAt);
            ExecutionJson.WriteNumber(writer, "status", attempt.Status);
            writer.WriteString("error", attempt.Error);
            // What is no UTF-8 becomes the replacement sign: it is for people.
            writer.WriteString("answer", attempt.Answer is { } answer ? Encoding.UTF8.GetString(answer) : null);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter writer, string name, IReadOnlyList<string>? texts)
    {
        if (texts is null)
        {
            writer.WriteNull(name);
            return;
        }

        writer.WriteStartArray(name);
        foreach (string text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }
}
