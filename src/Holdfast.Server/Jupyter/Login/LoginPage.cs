using System.Text.Encodings.Web;

namespace Holdfast.Server.Jupyter.Login;

/// <summary>The login, as one small page without scripts.</summary>
internal static class LoginPage
{
    public static Task WriteAsync(HttpContext context, int status, string xsrf, string next, string? message)
    {
        string action = HtmlEncoder.Default.Encode($"{context.Request.PathBase}/login?next={Uri.EscapeDataString(next)}");
        string said = message is null ? "" : $"<p role=\"alert\">{HtmlEncoder.Default.Encode(message)}</p>";
        return SendAsync(
            context,
            status,
            "Log in",
            $"""
            <form method="post" action="{action}">
            {said}<input type="hidden" name="_xsrf" value="{HtmlEncoder.Default.Encode(xsrf)}">
            <p><label>Token <input type="password" name="password" autofocus autocomplete="current-password" required></label> <button>Log in</button></p>
            <p>It is in the file <code>token</code> of the data directory.</p>
            </form>
            """
        );
    }

    public static Task SendAsync(HttpContext context, int status, string title, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
        return context.Response.WriteAsync(
            $$"""
            <!doctype html>
            <html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Holdfast: {{title}}</title>
            <style>body { font: 16px system-ui, sans-serif; margin: 4rem auto; max-width: 36rem; padding: 0 1rem }</style>
            <h1>Holdfast</h1>
            {{body}}
            </html>

            """,
            context.RequestAborted
        );
    }
}
