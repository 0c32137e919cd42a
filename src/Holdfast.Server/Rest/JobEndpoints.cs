using Holdfast.Engine.Jobs;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>POST /v1/jobs.</summary>
internal static class JobEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door) =>
        routes.MapPost(
            "/v1/jobs",
            (RequestDelegate)(
                async context =>
                {
                    JobRequest request = await RestBody.ReadJsonAsync(context, RestJson.Default.JobRequest);
                    string? key = context.Request.Headers.TryGetValue("Idempotency-Key", out var value) ? value.ToString() : null;
                    SubmittedJob submitted = await door.Engine.SubmitJob.RunAsync(request, key, context.RequestAborted);
                    context.Response.Headers.Location = $"/v1/executions/{submitted.Execution.Id}";
                    await RestAnswer.WriteAsync(context, submitted.IsRepeat ? 200 : 201, submitted.Execution);
                }
            )
        );
}
