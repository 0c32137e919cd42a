using System.Text.Json;
using Holdfast.Engine.Recovery;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>GET /v1/recovery, also while it goes on; GET /v1/doctor/integrity, the store's own check.</summary>
internal static class RecoveryEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet("/v1/recovery", (RequestDelegate)(context => ReportAsync(context, door.Engine.Recovery)));
        routes.MapGet("/v1/doctor/integrity", (RequestDelegate)(context => IntegrityAsync(context, door.Engine.CheckIntegrity())));
    }

    private static Task ReportAsync(HttpContext context, RecoveryReport report) => RestAnswer.WriteAsync(context, 200, writer => Write(writer, report));

    internal static void Write(Utf8JsonWriter writer, RecoveryReport report)
    {
        writer.WriteStartObject();
        writer.WriteBoolean("complete", report.IsComplete);
        ExecutionJson.WriteTime(writer, "startedAt", report.StartedAt);
        writer.WriteNumber("milliseconds", Math.Round(report.Milliseconds, 3));
        writer.WriteStartArray("phases");
        foreach (RecoveryPhase phase in report.Phases)
        {
            writer.WriteStartObject();
            writer.WriteString("name", phase.Name);
            writer.WriteNumber("milliseconds", Math.Round(phase.Milliseconds, 3));
            writer.WriteNumber("found", phase.Found);
            writer.WriteString("problem", phase.Problem);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteNumber("found", report.Attempts.Count);
        foreach (string verdict in (string[])["readopted", "ended", "requeued", "lost", "quarantined"])
        {
            writer.WriteNumber(verdict, report.CountOf(verdict));
        }

        writer.WriteNumber("queued", report.Queued);
        writer.WriteStartArray("attempts");
        foreach (RecoveredAttempt attempt in report.Attempts)
        {
            writer.WriteStartObject();
            writer.WriteString("attempt", attempt.Attempt);
            writer.WriteString("executionId", attempt.ExecutionId);
            writer.WriteString("kernelId", attempt.KernelId);
            writer.WriteString("verdict", attempt.Verdict);
            writer.WriteString("reason", attempt.Reason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static Task IntegrityAsync(HttpContext context, IReadOnlyList<string> problems) => RestAnswer.WriteAsync(context, 200, writer =>
    {
        writer.WriteStartObject();
        writer.WriteBoolean("ok", problems.Count == 0);
        writer.WriteStartArray("problems");
        foreach (string problem in problems)
        {
            writer.WriteStringValue(problem);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });
}
