using System.Globalization;
using System.Text.Json;
using Holdfast.Engine.Access;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>GET /v1/audit: who did what, newest first.</summary>
internal static class AuditEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door) =>
        routes.MapGet(
            "/v1/audit",
            (RequestDelegate)(
                context =>
                {
                    var filter = new AuditFilter
                    {
                        Before = RestQuery.Number(context, "cursor", 1, long.MaxValue),
                        Subject = RestQuery.Text(context, "subject"),
                        Token = RestQuery.Text(context, "by"), // Not "token": that is how a request shows its own.
                        Operation = RestQuery.Text(context, "operation"),
                        Limit = (int)(RestQuery.Number(context, "limit", 1, AuditFilter.LimitMax) ?? AuditFilter.LimitDefault),
                    };
                    IReadOnlyList<AuditEntry> entries = door.Engine.ReadAudit.Run(filter);
                    string? next = entries.Count == filter.Limit ? entries[^1].Sequence.ToString(CultureInfo.InvariantCulture) : null;
                    return RestAnswer.WriteAsync(context, 200, writer => Write(writer, entries, next));
                }
            )
        );

    internal static void Write(Utf8JsonWriter writer, IReadOnlyList<AuditEntry> entries, string? next)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("entries");
        foreach (AuditEntry entry in entries)
        {
            writer.WriteStartObject();
            writer.WriteNumber("sequence", entry.Sequence);
            ExecutionJson.WriteTime(writer, "at", entry.At);
            writer.WriteString("tokenId", entry.TokenId);
            writer.WriteString("tokenName", entry.TokenName);
            writer.WriteString("remote", entry.Remote);
            writer.WriteString("operation", entry.Operation);
            writer.WriteString("subject", entry.Subject);
            writer.WriteString("reason", entry.Reason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteString("next", next);
        writer.WriteEndObject();
    }
}
