using System.Globalization;
using Holdfast.Engine.Executions;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>Reads and commands of /v1/executions.</summary>
internal static class ExecutionEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet("/v1/executions", (RequestDelegate)(context => ListAsync(context, door)));
        routes.MapGet("/v1/executions/{id}", (RequestDelegate)(context => GetAsync(context, door)));
        routes.MapGet("/v1/executions/{id}/wait", (RequestDelegate)(context => WaitAsync(context, door)));
        Command(routes, "cancel", (id, token) => door.Engine.CancelExecution.RunAsync(id, token));
        Command(routes, "pause", (id, token) => door.Engine.PauseExecution.RunAsync(id, token));
        Command(routes, "resume", (id, token) => door.Engine.ResumeExecution.RunAsync(id, token));
        Command(routes, "retry", (id, token) => door.Engine.RetryExecution.RunAsync(id, token));
        routes.MapPost(
            "/v1/executions/{id}/resize",
            (RequestDelegate)(
                async context =>
                {
                    ResizeBody size = await RestBody.ReadJsonAsync(context, RestJson.Default.ResizeBody);
                    await RestAnswer.WriteAsync(
                        context,
                        200,
                        await door.Engine.ResizeTerminal.RunAsync(
                            RestQuery.ExecutionId(context),
                            size.Rows,
                            size.Columns,
                            context.RequestAborted
                        )
                    );
                }
            )
        );
        routes.MapPost("/v1/executions/{id}/stdin", (RequestDelegate)(context => StandardInputAsync(context, door)));
    }

    private static void Command(IEndpointRouteBuilder routes, string verb, Func<ExecutionId, CancellationToken, Task<Execution>> run) =>
        routes.MapPost(
            $"/v1/executions/{{id}}/{verb}",
            (RequestDelegate)(
                async context =>
                    await RestAnswer.WriteAsync(context, 200, await run(RestQuery.ExecutionId(context), context.RequestAborted))
            )
        );

    private static Task ListAsync(HttpContext context, EngineDoor door)
    {
        string[] label = RestQuery.Text(context, "label")?.Split('=', 2) ?? [];
        var filter = new ExecutionFilter
        {
            State = State(context),
            Kind = Kind(context),
            Queue = RestQuery.Text(context, "queue"),
            LabelName = label.Length > 0 ? label[0] : null,
            LabelValue = label.Length > 1 ? label[1] : null,
            Before = RestQuery.Number(context, "cursor", 1, long.MaxValue),
            Limit = (int)(RestQuery.Number(context, "limit", 1, ExecutionFilter.LimitMax) ?? ExecutionFilter.LimitDefault),
        };
        IReadOnlyList<ExecutionView> page = door.Engine.GetExecution.List(filter);
        return RestAnswer.WriteAsync(
            context,
            200,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteStartArray("executions");
                foreach (ExecutionView view in page)
                {
                    ExecutionJson.Write(writer, view);
                }

                writer.WriteEndArray();
                writer.WriteString(
                    "next",
                    page.Count == filter.Limit ? page[^1].Execution.Sequence.ToString(CultureInfo.InvariantCulture) : null
                );
                writer.WriteEndObject();
            }
        );
    }

    private static Task GetAsync(HttpContext context, EngineDoor door)
    {
        ExecutionView view = door.Engine.GetExecution.Run(RestQuery.ExecutionId(context));
        return RestAnswer.WriteAsync(context, 200, writer => ExecutionJson.Write(writer, view));
    }

    private static async Task WaitAsync(HttpContext context, EngineDoor door)
    {
        TimeSpan timeout = RestQuery.Seconds(context, "timeoutSeconds") ?? TimeSpan.FromSeconds(RestLimits.WaitSecondsDefault);
        Execution execution = await WaitAsync(context, door, RestQuery.ExecutionId(context), timeout);
        await RestAnswer.WriteAsync(context, execution.State.IsSettled() ? 200 : 202, execution);
    }

    /// <summary>As it is when it is over, when the time is up, or when the server stops.</summary>
    private static async Task<Execution> WaitAsync(HttpContext context, EngineDoor door, ExecutionId id, TimeSpan timeout)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, door.Stopping);
        try
        {
            return await door.Engine.WaitForExecution.RunAsync(id, timeout, leaving.Token);
        }
        catch (OperationCanceledException) when (door.Stopping.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            return door.Engine.GetExecution.Run(id).Execution;
        }
    }

    private static async Task StandardInputAsync(HttpContext context, EngineDoor door)
    {
        ExecutionId id = RestQuery.ExecutionId(context);
        byte[] bytes = await RestBody.ReadBytesAsync(
            context,
            WriteStandardInput.BytesMax,
            $"One request may bring {WriteStandardInput.BytesMax} bytes of input. Send the rest in further requests."
        );
        await RestAnswer.WriteAsync(
            context,
            200,
            await door.Engine.WriteStandardInput.RunAsync(id, bytes, RestQuery.Flag(context, "end"), context.RequestAborted)
        );
    }

    private static ExecutionState? State(HttpContext context)
    {
        string? name = RestQuery.Text(context, "state");
        return name is null ? null
            : ExecutionStates.TryParse(name, out ExecutionState state) ? state
            : throw RestQuery.Invalid("state", name, "one of " + string.Join(", ", ExecutionStates.All));
    }

    private static ExecutionKind? Kind(HttpContext context) =>
        RestQuery.Text(context, "kind") switch
        {
            null => null,
            "cell" => ExecutionKind.Cell,
            "job" => ExecutionKind.Job,
            { } name => throw RestQuery.Invalid("kind", name, "cell or job"),
        };
}
