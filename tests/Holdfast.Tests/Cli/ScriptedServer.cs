using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Holdfast.Tests.Cli;

/// <summary>One request that the scripted server was sent.</summary>
internal sealed record SeenRequest(string Method, string Path, string Body, string? Authorization, string? IdempotencyKey);

/// <summary>An HTTP server that answers what the test says, and remembers what it was asked.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly List<SeenRequest> _seen = [];

    private ScriptedServer(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    public IReadOnlyList<SeenRequest> Seen
    {
        get
        {
            lock (_seen)
            {
                return [.. _seen];
            }
        }
    }

    public IEnumerable<string> Asked => Seen.Select(r => $"{r.Method} {r.Path}");

    /// <summary>The answer is given the request's method and path with its query.</summary>
    public static async Task<ScriptedServer> StartAsync(Func<string, HttpContext, Task> answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        var server = new ScriptedServer(app);
        app.Run(async context =>
        {
            string path = context.Request.Path + context.Request.QueryString.Value;
            using var reader = new StreamReader(context.Request.Body);
            string body = await reader.ReadToEndAsync();
            lock (server._seen)
            {
                server._seen.Add(
                    new SeenRequest(
                        context.Request.Method,
                        path,
                        body,
                        context.Request.Headers.Authorization.FirstOrDefault(),
                        context.Request.Headers["Idempotency-Key"].FirstOrDefault()
                    )
                );
            }

            await answer($"{context.Request.Method} {path}", context);
        });
        await app.StartAsync();
        return server;
    }

    public static Task JsonAsync(HttpContext context, string json, int status = 200)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json);
    }

    public static Task RefuseAsync(HttpContext context, int status, string code, string sentence)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        return context.Response.WriteAsync($$"""{"title":"no","status":{{status}},"detail":"{{sentence}}","code":"{{code}}"}""");
    }

    /// <summary>A piece of output, as GET .../output answers it.</summary>
    public static Task OutputAsync(HttpContext context, string all, bool isComplete)
    {
        long offset = Offset(context);
        string rest = all[(int)offset..];
        context.Response.Headers["Holdfast-Offset"] = offset.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["Holdfast-Next-Offset"] = all.Length.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["Holdfast-Complete"] = isComplete ? "true" : "false";
        context.Response.ContentLength = rest.Length;
        return context.Response.WriteAsync(rest);
    }

    public static long Offset(HttpContext context) => long.Parse(context.Request.Query["offset"].ToString(), CultureInfo.InvariantCulture);

    public static async Task EventAsync(HttpContext context, long id, string text)
    {
        BeginEvents(context);
        await context.Response.WriteAsync(
            string.Create(CultureInfo.InvariantCulture, $"id: {id}\ndata: {Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}\n\n")
        );
        await context.Response.Body.FlushAsync();
    }

    public static Task EndAsync(HttpContext context, string execution)
    {
        BeginEvents(context);
        return context.Response.WriteAsync($"event: end\ndata: {execution}\n\n");
    }

    /// <summary>Answers nothing until the client goes away.</summary>
    public static async Task NeverAsync(HttpContext context)
    {
        var gone = new TaskCompletionSource();
        using CancellationTokenRegistration registration = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void BeginEvents(HttpContext context)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.ContentType = "text/event-stream";
        }
    }
}
