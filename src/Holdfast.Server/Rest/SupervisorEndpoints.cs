using System.Text.Json;
using Holdfast.Engine.Supervision;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>GET /v1/supervisors: who supervises what, and whether it is fresh, stale or dead, with the thresholds.</summary>
internal static class SupervisorEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door) =>
        routes.MapGet(
            "/v1/supervisors",
            (RequestDelegate)(
                async context =>
                {
                    IReadOnlyList<SupervisorView> all = await door.Engine.ListSupervisors.RunAsync(context.RequestAborted);
                    await RestAnswer.WriteAsync(context, 200, writer => Write(writer, all));
                }
            )
        );

    private static void Write(Utf8JsonWriter writer, IReadOnlyList<SupervisorView> all)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("supervisors");
        foreach (SupervisorView one in all)
        {
            writer.WriteStartObject();
            writer.WriteString("attempt", one.Attempt.Id.Value);
            writer.WriteString("executionId", one.Attempt.Attempt.ExecutionId?.Value);
            writer.WriteString("kernelId", one.Attempt.Attempt.KernelId);
            writer.WriteString("liveness", one.Liveness.Name());
            writer.WriteString("reason", one.Reason);
            ExecutionJson.WriteNumber(writer, "pid", one.Pid);
            ExecutionJson.WriteNumber(writer, "childPid", one.Attempt.ChildPid);
            writer.WriteString("processState", one.ProcessState?.ToString());
            writer.WriteBoolean("attached", one.IsAttached);
            writer.WriteString("stallReason", one.Attempt.StallReason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartObject("thresholds");
        writer.WriteNumber("lookSeconds", SupervisorLivenessTable.LookInterval.TotalSeconds);
        writer.WriteNumber("askSeconds", SupervisorLivenessTable.AskInterval.TotalSeconds);
        writer.WriteNumber("answerSeconds", SupervisorLivenessTable.AnswerPatience.TotalSeconds);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
