using System.Text.Json.Nodes;
using Holdfast.Engine.Preferences;

namespace Holdfast.Server.Jupyter.Lab;

/// <summary>
/// What JupyterLab's page is told about its server (jupyterlab_server's page_config): where things are, which extensions there are, and
/// what the address asked to be opened.
/// </summary>
internal static class LabConfiguration
{
    /// <summary>
    /// They install and switch what Python's package manager has brought here, or ask the project's site for news; this server does
    /// neither.
    /// </summary>
    private static readonly string[] NotHere =
    [
        "@jupyterlab/extensionmanager-extension",
        "@jupyterlab/pluginmanager-extension",
        "@jupyterlab/apputils-extension:announcements",
    ];

    /// <param name="opened">The address below `/lab` or `/doc`: `workspaces/NAME`, `tree/PATH`, both or nothing.</param>
    public static JsonObject Of(string main, IReadOnlyList<LabExtension> extensions, string pathBase, string opened, bool isDocumentOnly)
    {
        JsonObject page = Read(Path.Combine(main, "settings", "page_config.json")) ?? [];
        JsonObject? package = Read(Path.Combine(main, "static", "package.json"));
        page["appName"] ??= "JupyterLab";
        page["appNamespace"] = "lab";
        page["appVersion"] = package?["jupyterlab"]?["version"]?.DeepClone() ?? "4";
        page["appUrl"] = "/lab";
        page["baseUrl"] = pathBase + "/";
        page["fullAppUrl"] = pathBase + "/lab";
        page["fullStaticUrl"] = pathBase + "/lab/static";
        page["themesUrl"] = "/lab/themes";
        page["fullThemesUrl"] = pathBase + "/lab/themes";
        page["labextensionsUrl"] = "/lab/extensions";
        page["fullLabextensionsUrl"] = pathBase + "/lab/extensions";
        page["translationsApiUrl"] = "/lab/api/translations";
        page["terminalsAvailable"] = true;
        page["buildAvailable"] = false;
        page["buildCheck"] = false;
        page["cacheFiles"] = false;
        page["notebookVersion"] = "[2, 14, 0]";
        page["preferredPath"] = "/";
        page["mode"] = isDocumentOnly ? "single-document" : "multiple-document";
        (page["workspace"], page["treePath"]) = Opened(opened);
        page["disabledExtensions"] = Disabled(page["disabledExtensions"]);
        page["federated_extensions"] = new JsonArray([.. extensions.Select(Federated).OfType<JsonNode>()]);
        return page;
    }

    private static (string Workspace, string Tree) Opened(string opened)
    {
        string workspace = "default";
        if (opened.StartsWith("workspaces/", StringComparison.Ordinal))
        {
            string[] parts = opened.Split('/', 3);
            workspace = parts[1].Length > 0 ? parts[1] : workspace;
            opened = parts.Length > 2 ? parts[2] : "";
        }

        return (workspace, opened.StartsWith("tree/", StringComparison.Ordinal) ? opened["tree/".Length..] : "");
    }

    /// <summary>The file has names with a yes or no; the page wants those with a yes.</summary>
    private static JsonArray Disabled(JsonNode? configured)
    {
        IEnumerable<string> named = configured is JsonObject all
            ? all.Where(static e => e.Value is JsonValue v && v.TryGetValue(out bool isOff) && isOff).Select(static e => e.Key)
            : [];
        return new JsonArray([.. named.Union(NotHere).Select(static n => (JsonNode)n)]);
    }

    private static JsonObject? Federated(LabExtension extension)
    {
        if (Read(Path.Combine(extension.Folder, "package.json"))?["jupyterlab"]?["_build"] is not JsonObject build)
        {
            return null; // Not one that has been built for being loaded by a page.
        }

        var told = (JsonObject)build.DeepClone();
        told["name"] = extension.Package;
        return told;
    }

    private static JsonObject? Read(string file)
    {
        try
        {
            return File.Exists(file) ? JsonNode.Parse(File.ReadAllBytes(file)) as JsonObject : null;
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or IOException or UnauthorizedAccessException)
        {
            return null; // Not ours: the page does without.
        }
    }
}
