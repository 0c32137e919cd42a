using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Recovery;
using Holdfast.Engine.Recovery.Orphans;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>
/// GET /v1/recovery, also while it goes on, and the repairs of what it could not put right; GET /v1/doctor/integrity, the store's own
/// check.
/// </summary>
internal static class RecoveryEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet(
            "/v1/recovery",
            (RequestDelegate)(context => ReportAsync(context, door.Engine.Recovery, door.Engine.RecoveryHistory))
        );
        routes.MapPost(
            "/v1/recovery/retry",
            Repair(door, static (engine, body, cancel) => engine.RetryRecovery.RunAsync(body.Item, body.Reason, cancel))
        );
        routes.MapPost(
            "/v1/recovery/mark-lost",
            Repair(door, static (engine, body, cancel) => engine.MarkLost.RunAsync(body.Item, body.Reason, cancel))
        );
        routes.MapPost(
            "/v1/recovery/quarantine",
            Repair(door, static (engine, body, cancel) => engine.QuarantineItem.RunAsync(body.Item, body.Reason, cancel))
        );
        routes.MapGet("/v1/recovery/orphans", (RequestDelegate)(context => SweepAsync(context, door, isDryRun: true)));
        routes.MapPost("/v1/recovery/orphans", (RequestDelegate)(context => SweepAsync(context, door, isDryRun: false)));
        routes.MapGet("/v1/doctor/integrity", (RequestDelegate)(context => IntegrityAsync(context, door.Engine.CheckIntegrity())));
    }

    private static Task ReportAsync(HttpContext context, RecoveryReport report, IReadOnlyList<RecoveryReport> before) =>
        RestAnswer.WriteAsync(context, 200, writer => Write(writer, report, before));

    private static RequestDelegate Repair(
        EngineDoor door,
        Func<HoldfastEngine, RepairBody, CancellationToken, Task<RepairResult>> repair
    ) =>
        async context =>
        {
            RepairBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.RepairBody);
            RepairResult result = await repair(door.Engine, body, context.RequestAborted);
            await RestAnswer.WriteAsync(
                context,
                200,
                writer =>
                {
                    writer.WriteStartObject();
                    WritePhases(writer, result.Phases);
                    writer.WritePropertyName("attempt");
                    if (result.Attempt is { } attempt)
                    {
                        WriteAttempt(writer, attempt);
                    }
                    else
                    {
                        writer.WriteNullValue();
                    }

                    writer.WriteEndObject();
                }
            );
        };

    private static async Task SweepAsync(HttpContext context, EngineDoor door, bool isDryRun)
    {
        IReadOnlyList<Orphan> found = await door.Engine.SweepOrphans.RunAsync(isDryRun, context.RequestAborted);
        await RestAnswer.WriteAsync(
            context,
            200,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteBoolean("dryRun", isDryRun);
                writer.WriteStartArray("orphans");
                foreach (Orphan orphan in found)
                {
                    writer.WriteStartObject();
                    writer.WriteString("kind", JsonNamingPolicy.CamelCase.ConvertName(orphan.Kind.ToString()));
                    writer.WriteString("subject", orphan.Subject);
                    writer.WriteString("action", JsonNamingPolicy.CamelCase.ConvertName(orphan.Action.ToString()));
                    writer.WriteString("reason", orphan.Reason);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }
        );
    }

    internal static void Write(Utf8JsonWriter writer, RecoveryReport report, IReadOnlyList<RecoveryReport> before)
    {
        writer.WriteStartObject();
        WriteFields(writer, report);
        writer.WriteStartArray("history");
        foreach (RecoveryReport earlier in before)
        {
            writer.WriteStartObject();
            WriteFields(writer, earlier);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteFields(Utf8JsonWriter writer, RecoveryReport report)
    {
        writer.WriteBoolean("complete", report.IsComplete);
        ExecutionJson.WriteTime(writer, "startedAt", report.StartedAt);
        writer.WriteNumber("milliseconds", Math.Round(report.Milliseconds, 3));
        WritePhases(writer, report.Phases);
        writer.WriteNumber("found", report.Found);
        foreach (string verdict in RecoveryReport.Verdicts)
        {
            writer.WriteNumber(verdict, report.CountOf(verdict));
        }

        writer.WriteNumber("queued", report.Queued);
        writer.WriteStartArray("attempts");
        foreach (RecoveredAttempt attempt in report.Attempts)
        {
            WriteAttempt(writer, attempt);
        }

        writer.WriteEndArray();
        writer.WriteString("version", report.Version);
        writer.WriteStartArray("interrupted");
        foreach (InterruptedStart start in report.Interrupted)
        {
            writer.WriteStartObject();
            ExecutionJson.WriteTime(writer, "startedAt", start.StartedAt);
            writer.WriteString("lastPhase", start.LastPhase);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WritePhases(Utf8JsonWriter writer, IReadOnlyList<RecoveryPhase> phases)
    {
        writer.WriteStartArray("phases");
        foreach (RecoveryPhase phase in phases)
        {
            writer.WriteStartObject();
            writer.WriteString("name", phase.Name);
            writer.WriteNumber("milliseconds", Math.Round(phase.Milliseconds, 3));
            writer.WriteNumber("found", phase.Found);
            writer.WriteString("problem", phase.Problem);
            writer.WriteBoolean("failed", phase.HasFailed);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteAttempt(Utf8JsonWriter writer, RecoveredAttempt attempt)
    {
        writer.WriteStartObject();
        writer.WriteString("attempt", attempt.Attempt);
        writer.WriteString("executionId", attempt.ExecutionId);
        writer.WriteString("kernelId", attempt.KernelId);
        writer.WriteString("verdict", attempt.Verdict);
        writer.WriteString("reason", attempt.Reason);
        writer.WriteEndObject();
    }

    private static Task IntegrityAsync(HttpContext context, IReadOnlyList<string> problems) =>
        RestAnswer.WriteAsync(
            context,
            200,
            writer =>
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
            }
        );
}
