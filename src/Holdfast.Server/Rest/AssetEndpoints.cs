using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Assets;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>
/// /v1/assets: large outputs and uploads, by the SHA-256 of their bytes. What is given back runs nothing and reads nothing: it is shown, if
/// at all, in a sandbox without scripts, since it may be anybody's HTML and its address may have a token in it.
/// </summary>
internal static class AssetEndpoints
{
    private const string Policy =
        "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox";

    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet("/v1/assets", (RequestDelegate)(context => ListAsync(context, door)));
        routes.MapPost("/v1/assets", (RequestDelegate)(context => StoreAsync(context, door, null)));
        routes.MapPost("/v1/assets/prune", (RequestDelegate)(context => PruneAsync(context, door)));
        routes.MapGet("/v1/assets/{sha256}", (RequestDelegate)(context => SendAsync(context, door)));
        routes.MapMethods("/v1/assets/{sha256}", ["HEAD"], (RequestDelegate)(context => SendAsync(context, door)));
        routes.MapPut("/v1/assets/{sha256}", (RequestDelegate)(context => StoreAsync(context, door, HashOf(context))));
        routes.MapGet(
            "/v1/assets/{sha256}/lease",
            (RequestDelegate)(context => AnswerAsync(context, 200, door.Engine.GetAsset.Run(HashOf(context))))
        );
        routes.MapPost(
            "/v1/assets/{sha256}/lease",
            (RequestDelegate)(
                async context =>
                {
                    AssetHash hash = HashOf(context);
                    RenewLeaseBody body = context.Request.ContentLength is 0
                        ? new RenewLeaseBody(null)
                        : await RestBody.ReadJsonAsync(context, RestJson.Default.RenewLeaseBody);
                    await AnswerAsync(
                        context,
                        200,
                        await door.Engine.RenewLease.RunAsync(hash, Seconds(body.Seconds), context.RequestAborted)
                    );
                }
            )
        );
        routes.MapPut(
            "/v1/assets/{sha256}/pins/{name}",
            (RequestDelegate)(
                async context =>
                    await AnswerAsync(
                        context,
                        200,
                        await door.Engine.PinAsset.RunAsync(HashOf(context), NameOf(context), context.RequestAborted)
                    )
            )
        );
        routes.MapDelete(
            "/v1/assets/{sha256}/pins/{name}",
            (RequestDelegate)(
                async context =>
                    await AnswerAsync(
                        context,
                        200,
                        await door.Engine.UnpinAsset.RunAsync(HashOf(context), NameOf(context), context.RequestAborted)
                    )
            )
        );
    }

    private static AssetHash HashOf(HttpContext context) => AssetHash.Parse((string)context.Request.RouteValues["sha256"]!);

    private static string NameOf(HttpContext context) => (string)context.Request.RouteValues["name"]!;

    private static TimeSpan? Seconds(double? seconds) =>
        seconds is not { } given ? null
        : given >= 0 && given <= AssetOptions.LeaseMax.TotalSeconds ? TimeSpan.FromSeconds(given)
        : throw RenewLease.Invalid();

    private static Task ListAsync(HttpContext context, EngineDoor door)
    {
        int limit = (int)(RestQuery.Number(context, "limit", 1, ListAssets.LimitMax) ?? ListAssets.LimitDefault);
        IReadOnlyList<Asset> assets = door.Engine.ListAssets.Run(RestQuery.Text(context, "cursor"), limit);
        (long count, long bytes) = door.Engine.ListAssets.Total();
        return RestAnswer.WriteAsync(
            context,
            200,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("count", count);
                writer.WriteNumber("bytes", bytes);
                writer.WriteStartArray("assets");
                foreach (Asset asset in assets)
                {
                    AssetJson.Write(writer, asset);
                }

                writer.WriteEndArray();
                writer.WriteString("next", assets.Count == limit ? assets[^1].Hash.Value : null);
                writer.WriteEndObject();
            }
        );
    }

    private static async Task StoreAsync(HttpContext context, EngineDoor door, AssetHash? expected)
    {
        double? lease = RestQuery.Number(context, "leaseSeconds", 0, (long)AssetOptions.LeaseMax.TotalSeconds);
        var wanted = new AssetToStore(MediaType(context.Request.ContentType))
        {
            Lease = Seconds(lease),
            Expected = expected,
            Length = context.Request.ContentLength,
            References = RestQuery.Text(context, "pin") is { } pin ? [PinAsset.Pin(pin)] : [],
        };
        StoredAsset stored = await door.Engine.StoreAsset.RunAsync(context.Request.Body, wanted, context.RequestAborted);
        context.Response.Headers.Location = $"/v1/assets/{stored.Asset.Hash}";
        await AnswerAsync(context, stored.IsNew ? 201 : 200, stored.Asset);
    }

    /// <summary>What curl says of every body by itself says nothing of it.</summary>
    private static string MediaType(string? given) =>
        given is null || given.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
            ? "application/octet-stream"
            : given;

    private static async Task SendAsync(HttpContext context, EngineDoor door)
    {
        using OpenedAsset opened = await door.Engine.ReadAsset.OpenAsync(HashOf(context), context.RequestAborted);
        HttpResponse response = context.Response;
        response.ContentType = opened.Asset.MediaType;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.CacheControl = "private, max-age=86400, immutable"; // Its name is its content.
        if (RestQuery.Text(context, "download") is { } name)
        {
            response.Headers.ContentDisposition = $"attachment; filename*=UTF-8''{Uri.EscapeDataString(name)}";
        }

        await FileAnswer.SendAsync(context, opened.Stream.SafeFileHandle, opened.Asset.Size, $"\"{opened.Asset.Hash}\"");
    }

    private static async Task PruneAsync(HttpContext context, EngineDoor door)
    {
        PruneAssetsBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.PruneAssetsBody);
        AssetHash[]? references = body.References is null ? null : [.. body.References.Select(AssetHash.Parse)];
        string client = body.Client ?? Actor.Current?.TokenName ?? "client";
        PruneResult result = await door.Engine.PruneAssets.RunAsync(
            new PruneRequest(client, references, body.DryRun ?? false),
            context.RequestAborted
        );
        await RestAnswer.WriteAsync(context, 200, writer => AssetJson.Write(writer, result));
    }

    private static Task AnswerAsync(HttpContext context, int status, Asset asset) =>
        RestAnswer.WriteAsync(context, status, writer => AssetJson.Write(writer, asset));
}
