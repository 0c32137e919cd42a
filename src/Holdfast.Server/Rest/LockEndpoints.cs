using System.Text.Json;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Locks;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>/v1/locks: who holds what and who waits, and release by hand.</summary>
internal static class LockEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet(
            "/v1/locks",
            (RequestDelegate)(context => RestAnswer.WriteAsync(context, 200, writer => WriteAll(writer, door.Engine.ListLocks.Run())))
        );
        routes.MapPost(
            "/v1/locks/release",
            (RequestDelegate)(
                async context =>
                {
                    ReleaseLockBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.ReleaseLockBody);
                    ReleasedLock released = await door.Engine.ReleaseLock.RunAsync(body.Name, body.Reason, context.RequestAborted);
                    await RestAnswer.WriteAsync(
                        context,
                        200,
                        writer =>
                        {
                            writer.WriteStartObject();
                            writer.WriteString("name", released.Name);
                            writer.WriteString("holder", released.Holder.Value);
                            writer.WriteNumber("fence", released.Fence);
                            writer.WriteString("reason", released.Reason);
                            writer.WriteEndObject();
                        }
                    );
                }
            )
        );
    }

    private static void WriteAll(Utf8JsonWriter writer, IReadOnlyList<LockLine> lines)
    {
        writer.WriteStartArray();
        foreach (LockLine line in lines)
        {
            writer.WriteStartObject();
            writer.WriteString("name", line.Name);
            writer.WriteString("holder", line.Holder?.Value);
            ExecutionJson.WriteNumber(writer, "fence", line.Fence);
            writer.WriteStartArray("waiting");
            foreach (ExecutionId id in line.Waiting)
            {
                writer.WriteStringValue(id.Value);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
