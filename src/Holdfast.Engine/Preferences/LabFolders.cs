using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Preferences;

/// <summary>A prebuilt extension of JupyterLab: its package's name, with the scope, and where it lies.</summary>
public sealed record LabExtension(string Package, string Folder);

/// <summary>
/// Where an installed JupyterLab and its extensions lie, looked for anew at each question: `lab` and `labextensions` in Jupyter's data
/// folders, as pip puts them there. Nothing of Python is run.
/// </summary>
public sealed class LabFolders(Func<string, string?> variable)
{
    /// <summary>
    /// The folder with `static`, `schemas` and `themes`: JUPYTERLAB_DIR, or the first there is; null where no JupyterLab is installed.
    /// </summary>
    public string? Main =>
        (variable("JUPYTERLAB_DIR") is { Length: > 0 } named ? [named] : Data().Select(static d => Path.Combine(d, "lab"))).FirstOrDefault(
            static f => Directory.Exists(Path.Combine(f, "schemas")) || Directory.Exists(Path.Combine(f, "static"))
        );

    /// <summary>The first of a name wins, in the order of the folders.</summary>
    public IReadOnlyList<LabExtension> Extensions()
    {
        var found = new List<LabExtension>();
        foreach (string root in Data().Select(static d => Path.Combine(d, "labextensions")))
        {
            foreach (string folder in FoldersIn(root))
            {
                // A package's name may have a scope before it.
                foreach (string package in Path.GetFileName(folder).StartsWith('@') ? FoldersIn(folder) : [folder])
                {
                    string name = Path.GetRelativePath(root, package);
                    if (!found.Exists(e => e.Package == name))
                    {
                        found.Add(new LabExtension(name, package));
                    }
                }
            }
        }

        return found;
    }

    private IReadOnlyList<string> Data() => JupyterFolders.Data(variable);

    private static IEnumerable<string> FoldersIn(string folder)
    {
        try
        {
            return Directory.Exists(folder) ? Directory.GetDirectories(folder).Order(StringComparer.Ordinal) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
