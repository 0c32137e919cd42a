using System.Text.Json;

namespace Holdfast.Engine.Preferences;

/// <summary>What a plugin of JupyterLab says of its settings: menus, keys and toolbars are in it, too.</summary>
public sealed record LabSchema(string Id, string Version, JsonElement Schema);

/// <summary>
/// The schemas of an installed JupyterLab and of its extensions, read anew at each question, as kernelspecs are. Lab asks the server for
/// them, wherever its page comes from, and a page that gets none has no menus. None of them is ours: what cannot be read is left out.
/// </summary>
public sealed class LabSchemas(LabFolders lab)
{
    private const string Ending = ".json";

    /// <summary>By id: `PACKAGE:PLUGIN`, from the file `PACKAGE/PLUGIN.json`; the first folder in which one is wins.</summary>
    public IReadOnlyDictionary<string, LabSchema> List()
    {
        var found = new SortedDictionary<string, LabSchema>(StringComparer.Ordinal);
        foreach (string folder in Folders())
        {
            foreach (string file in FilesOf(folder))
            {
                string package = Path.GetRelativePath(folder, Path.GetDirectoryName(file)!);
                string id = $"{package}:{Path.GetFileNameWithoutExtension(file)}";
                if (!found.ContainsKey(id) && Read(id, file) is { } schema)
                {
                    found.Add(id, schema);
                }
            }
        }

        return found;
    }

    public LabSchema? Find(string id)
    {
        int colon = id.LastIndexOf(':');
        if (colon <= 0 || id.Contains("..", StringComparison.Ordinal) || id.Contains('\0') || id.StartsWith('/'))
        {
            return null;
        }

        string name = Path.Combine(id[..colon], id[(colon + 1)..] + Ending);
        return Folders().Select(folder => Path.Combine(folder, name)).Where(File.Exists).Select(file => Read(id, file)).FirstOrDefault();
    }

    private IEnumerable<string> Folders() =>
        lab.Extensions()
            .Select(static e => e.Folder)
            .Append(lab.Main)
            .OfType<string>()
            .Select(static f => Path.Combine(f, "schemas"))
            .Where(Directory.Exists);

    private static string[] FilesOf(string folder)
    {
        try
        {
            return Directory.GetFiles(folder, "*" + Ending, SearchOption.AllDirectories);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static LabSchema? Read(string id, string file)
    {
        try
        {
            using var schema = JsonDocument.Parse(File.ReadAllBytes(file));
            return schema.RootElement.ValueKind == JsonValueKind.Object
                ? new LabSchema(id, VersionIn(Path.GetDirectoryName(file)!), schema.RootElement.Clone())
                : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The package's, of which Lab leaves a copy beside its schemas.</summary>
    private static string VersionIn(string folder)
    {
        string file = Path.Combine(folder, "package.json.orig");
        if (!File.Exists(file))
        {
            return "";
        }

        using var package = JsonDocument.Parse(File.ReadAllBytes(file));
        return package.RootElement.TryGetProperty("version", out JsonElement version) ? version.GetString() ?? "" : "";
    }
}
