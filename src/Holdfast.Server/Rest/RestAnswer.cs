using System.Text.Json;
using Holdfast.Engine.Executions;

namespace Holdfast.Server.Rest;

/// <summary>Writes JSON answers straight into the response's buffer.</summary>
internal static class RestAnswer
{
    public static Task WriteAsync(HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        using (var writer = new Utf8JsonWriter(context.Response.BodyWriter, RestText.Options))
        {
            write(writer);
        }

        return context.Response.BodyWriter.FlushAsync(context.RequestAborted).AsTask();
    }

    public static Task WriteAsync(HttpContext context, int status, Execution execution) =>
        WriteAsync(context, status, writer => ExecutionJson.Write(writer, new ExecutionView(execution)));
}
