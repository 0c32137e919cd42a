using Holdfast.Engine.Retention;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>GET /v1/statistics: how many executions ended how, and how long they took, since the store was made.</summary>
internal static class StatisticsEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door) =>
        routes.MapGet(
            "/v1/statistics",
            (RequestDelegate)(
                context =>
                    RestAnswer.WriteAsync(
                        context,
                        200,
                        writer =>
                        {
                            writer.WriteStartObject();
                            writer.WriteStartArray("executions");
                            foreach (ExecutionStatistics one in door.Engine.GetStatistics.Run())
                            {
                                writer.WriteStartObject();
                                writer.WriteString("kind", one.Kind);
                                writer.WriteString("state", one.State);
                                writer.WriteNumber("count", one.Count);
                                writer.WriteNumber("seconds", one.Seconds);
                                writer.WriteNumber("p50Seconds", one.Median);
                                writer.WriteNumber("p90Seconds", one.P90);
                                writer.WriteNumber("p99Seconds", one.P99);
                                writer.WriteEndObject();
                            }

                            writer.WriteEndArray();
                            writer.WriteEndObject();
                        }
                    )
            )
        );
}
