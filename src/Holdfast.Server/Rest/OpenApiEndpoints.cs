namespace Holdfast.Server.Rest;

/// <summary>GET /v1/openapi.json: the description that is kept beside this file, as it is.</summary>
internal static class OpenApiEndpoints
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet(
            "/v1/openapi.json",
            (RequestDelegate)(
                async context =>
                {
                    context.Response.ContentType = "application/json";
                    await using Stream document = typeof(OpenApiEndpoints).Assembly.GetManifestResourceStream("openapi.json")!;
                    await document.CopyToAsync(context.Response.Body, context.RequestAborted);
                }
            )
        );
}
