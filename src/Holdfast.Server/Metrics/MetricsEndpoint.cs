using System.Text;

namespace Holdfast.Server.Metrics;

/// <summary>GET /metrics: for Prometheus, with a token like every other route; what it tells is nobody else's business.</summary>
internal static class MetricsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes, MeterReader reader) =>
        routes.MapGet(
            "/metrics",
            (RequestDelegate)(
                async context =>
                {
                    byte[] page = Encoding.UTF8.GetBytes(PrometheusText.Of(reader.Collect()));
                    context.Response.ContentType = PrometheusText.ContentType;
                    context.Response.ContentLength = page.Length;
                    await context.Response.BodyWriter.WriteAsync(page, context.RequestAborted);
                }
            )
        );
}
