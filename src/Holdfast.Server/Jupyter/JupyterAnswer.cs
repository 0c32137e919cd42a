using System.Text.Json;

namespace Holdfast.Server.Jupyter;

/// <summary>Writes JSON answers straight into the response's buffer.</summary>
internal static class JupyterAnswer
{
    public static Task WriteAsync(HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        Begin(context.Response, status);
        using (var writer = new Utf8JsonWriter(context.Response.BodyWriter, JupyterText.Options))
        {
            write(writer);
        }

        return context.Response.BodyWriter.FlushAsync(context.RequestAborted).AsTask();
    }

    /// <summary>
    /// What every JSON answer says of itself: it is no page, whatever a browser finds in it, and what is asked again is asked of the
    /// server.
    /// </summary>
    public static void Begin(HttpResponse response, int status)
    {
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'self'";
        response.Headers.CacheControl = "no-cache";
    }

    public static Task EmptyAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
