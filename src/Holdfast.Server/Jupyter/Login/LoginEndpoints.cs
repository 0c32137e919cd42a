using Holdfast.Engine;
using Holdfast.Engine.Access;
using Holdfast.Server.Hosting;
using Holdfast.Server.Hosting.Access;

namespace Holdfast.Server.Jupyter.Login;

/// <summary>
/// /login and /logout, and the places where people look for a page: / and /tree, whose status VS Code reads: 200 for who is let in,
/// a redirect for who must log in. The password is the token. VS Code takes the first cookie of the answer to its login for the session's.
/// </summary>
internal static class LoginEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/login", (RequestDelegate)ShowAsync);
        routes.MapPost("/login", (RequestDelegate)LogInAsync);
        routes.MapGet("/logout", (RequestDelegate)LogOutAsync);
        routes.MapGet("/", (RequestDelegate)WelcomeAsync);
        routes.MapGet("/tree/{**path}", (RequestDelegate)WelcomeAsync);
    }

    private static Task WelcomeAsync(HttpContext context)
    {
        Of(context).Xsrf.Ensure(context);
        return LoginPage.SendAsync(context, 200, "Welcome", "<p>You are logged in. Point a Jupyter client at this address.</p>");
    }

    private static Task ShowAsync(HttpContext context)
    {
        string xsrf = Of(context).Xsrf.Ensure(context);
        if (IsIn(context) && context.Request.Query.ContainsKey("next"))
        {
            context.Response.Redirect(Next(context));
            return Task.CompletedTask;
        }

        return LoginPage.WriteAsync(context, 200, xsrf, Next(context), null);
    }

    private static async Task LogInAsync(HttpContext context)
    {
        Credentials credentials = Of(context);
        Admission admission = context.Features.Get<Admission>()!;
        bool isTokenShown = admission.Caller == Caller.Token;
        if (!isTokenShown && !await credentials.Xsrf.IsShownAsync(context))
        {
            throw new RefusedException(
                ErrorCodes.XsrfCheckFailed,
                "'_xsrf' argument missing from POST, or not that of its cookie. Open the login page again."
            );
        }

        string password = context.Request.HasFormContentType
            ? (await context.Request.ReadFormAsync(context.RequestAborted))["password"].ToString()
            : "";
        Bearer? bearer = isTokenShown ? admission.Bearer : credentials.FindToken(password);
        if (bearer is null)
        {
            if (credentials.Failures.Add(context.Connection.RemoteIpAddress) is { } many)
            {
                throw Gate.TooMany(context, many.Wait);
            }

            await LoginPage.WriteAsync(context, 401, credentials.Xsrf.Ensure(context), Next(context), "That is not the token.");
            return;
        }

        credentials.Login.Set(context, bearer);
        credentials.Xsrf.Ensure(context);
        context.Response.Redirect(Next(context));
    }

    private static Task LogOutAsync(HttpContext context)
    {
        LoginCookie.Clear(context);
        return LoginPage.SendAsync(
            context,
            200,
            "Logged out",
            $"<p>You are logged out. <a href=\"{context.Request.PathBase}/login\">Log in again</a>.</p>"
        );
    }

    /// <summary>
    /// Where to go after the login: a path of ours, whatever was asked for. A browser reads a backslash as a slash, and two slashes as
    /// another host.
    /// </summary>
    internal static string Next(HttpContext context)
    {
        string next = context.Request.Query["next"].ToString();
        bool isPath =
            next.StartsWith('/') && !next.StartsWith("//", StringComparison.Ordinal) && !next.Contains('\\') && !next.Any(char.IsControl);
        PathString pathBase = context.Request.PathBase;
        return isPath
            ? (pathBase.HasValue && !next.StartsWith(pathBase.Value!, StringComparison.Ordinal) ? pathBase + next : next)
            : pathBase + "/tree";
    }

    private static bool IsIn(HttpContext context) => context.Features.Get<Admission>()!.Bearer is not null;

    private static Credentials Of(HttpContext context) => context.Features.Get<Credentials>()!;
}
