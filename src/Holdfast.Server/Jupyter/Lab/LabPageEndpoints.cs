using System.Globalization;
using System.Text.Encodings.Web;
using Holdfast.Engine;
using Holdfast.Engine.Contents;
using Holdfast.Engine.Preferences;
using Holdfast.Server.Hosting;
using Holdfast.Server.Hosting.Access;
using Holdfast.Server.Jupyter.Login;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Server.Jupyter.Lab;

/// <summary>
/// /lab: the page of the JupyterLab that is installed on this machine, with its scripts, themes and prebuilt extensions; where there is
/// none, a line that says so. The page logs in by the cookie that brought it here.
/// </summary>
internal static class LabPageEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet("/lab", (RequestDelegate)(context => ShowAsync(context, door, "", isDocumentOnly: false)));
        foreach (string opened in (ReadOnlySpan<string>)["tree", "workspaces"])
        {
            routes.MapGet(
                $"/lab/{opened}/{{**path}}",
                (RequestDelegate)(context => ShowAsync(context, door, $"{opened}/{Path(context)}", isDocumentOnly: false))
            );
            routes.MapGet(
                $"/doc/{opened}/{{**path}}",
                (RequestDelegate)(context => ShowAsync(context, door, $"{opened}/{Path(context)}", isDocumentOnly: true))
            );
        }

        routes.MapGet("/doc", (RequestDelegate)(context => ShowAsync(context, door, "", isDocumentOnly: true)));
        foreach (string folder in (ReadOnlySpan<string>)["static", "themes"])
        {
            routes.MapGet(
                $"/lab/{folder}/{{**path}}",
                (RequestDelegate)(
                    context =>
                        SendAsync(
                            context,
                            door.Engine.LabFolders.Main is { } main ? System.IO.Path.Combine(main, folder) : null,
                            Path(context)
                        )
                )
            );
        }

        routes.MapGet("/lab/extensions/{**path}", (RequestDelegate)(context => SendOfExtensionAsync(context, door.Engine.LabFolders)));
    }

    private static async Task ShowAsync(HttpContext context, EngineDoor door, string opened, bool isDocumentOnly)
    {
        context.Features.Get<Credentials>()!.Xsrf.Ensure(context);
        string? main = door.Engine.LabFolders.Main;
        string? index = main is null ? null : System.IO.Path.Combine(main, "static", "index.html");
        if (index is null || !File.Exists(index))
        {
            await LoginPage.SendAsync(
                context,
                200,
                "Welcome",
                "<p>You are logged in. Point a Jupyter client at this address. Where JupyterLab is installed, its page is here.</p>"
            );
            return;
        }

        string pathBase = context.Request.PathBase.Value ?? "";
        // By the default encoder: what could end the script that it stands in is escaped.
        string configuration = LabConfiguration
            .Of(main!, door.Engine.LabFolders.Extensions(), pathBase, opened, isDocumentOnly)
            .ToJsonString();
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.ContentSecurityPolicy = "frame-ancestors 'self'";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        string template = await File.ReadAllTextAsync(index, context.RequestAborted);
        await context.Response.WriteAsync(
            LabPage.Render(template, configuration, pathBase + "/", pathBase + "/lab/static"),
            context.RequestAborted
        );
    }

    private static Task SendOfExtensionAsync(HttpContext context, LabFolders folders)
    {
        string path = Path(context);
        LabExtension? extension = folders.Extensions().FirstOrDefault(e => path.StartsWith(e.Package + "/", StringComparison.Ordinal));
        return SendAsync(context, extension?.Folder, extension is null ? path : path[(extension.Package.Length + 1)..]);
    }

    /// <summary>A file of an installed package, which its administrator chose: links in it are followed, dot segments are not.</summary>
    private static async Task SendAsync(HttpContext context, string? folder, string path)
    {
        string file = System.IO.Path.Combine(folder ?? "/nonexistent", path);
        if (
            folder is null
            || path.Length == 0
            || path.Split('/').Any(static p => p is "" or "." or "..")
            || path.Contains('\0')
            || !File.Exists(file)
        )
        {
            throw new RefusedException(ErrorCodes.RouteNotFound, $"The JupyterLab that is installed here has no file '{path}'.");
        }

        using SafeFileHandle handle = File.OpenHandle(file);
        (long length, DateTime changed) = (RandomAccess.GetLength(handle), File.GetLastWriteTimeUtc(handle));
        context.Response.ContentType = MimeTypes.Of(file) ?? "application/octet-stream";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.CacheControl = "no-cache"; // Kept by the browser, and asked for again.
        await FileAnswer.SendAsync(
            context,
            handle,
            length,
            string.Create(CultureInfo.InvariantCulture, $"\"{length:x}-{changed.Ticks:x}\"")
        );
    }

    private static string Path(HttpContext context) =>
        ((string?)context.Request.RouteValues["path"] ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
