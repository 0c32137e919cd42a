namespace Holdfast.Protocol.Jupyter;

/// <summary>A kernelspec folder that cannot be used, and why: shown, because a kernel that silently is not listed costs its user an
/// afternoon.</summary>
public sealed record BrokenKernelSpec(string Name, string ResourceDirectory, string Reason);

/// <summary>What a search found: the usable specs by name, the first folder in search order winning, and those that are broken.</summary>
public sealed record KernelSpecListing(
    IReadOnlyList<KernelSpec> Specs,
    IReadOnlyList<BrokenKernelSpec> Broken,
    IReadOnlyList<string> SearchedDirectories
)
{
    /// <summary>The spec of that name, compared as Jupyter does: without regard to case.</summary>
    public KernelSpec? Find(string name)
    {
        foreach (KernelSpec spec in Specs)
        {
            if (spec.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return spec;
            }
        }

        return null;
    }
}

/// <summary>
/// Finds kernelspecs where Jupyter finds them (jupyter_core.paths.jupyter_path, jupyter_client.kernelspec), read anew at each call so that
/// an installed kernel is seen without a restart. Nothing of Python is run.
/// </summary>
public static class KernelSpecSearch
{
    /// <summary>Searches by this process's environment.</summary>
    public static KernelSpecListing Search() => Search(Directories(System.Environment.GetEnvironmentVariable));

    /// <summary>`kernels` in each of Jupyter's data folders, and last IPython's old place.</summary>
    public static IReadOnlyList<string> Directories(Func<string, string?> variable)
    {
        var directories = new List<string>();
        foreach (string root in JupyterFolders.Data(variable))
        {
            AddOnce(directories, Path.Combine(root, "kernels"));
        }

        string? home = NotEmpty(variable("HOME"));
        string? ipython = NotEmpty(variable("IPYTHONDIR")) ?? (home is null ? null : Path.Combine(home, ".ipython"));
        AddOnce(directories, ipython is null ? null : Path.Combine(ipython, "kernels"));
        return directories;
    }

    public static KernelSpecListing Search(IReadOnlyList<string> directories)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var specs = new List<KernelSpec>();
        var broken = new List<BrokenKernelSpec>();
        foreach (string directory in directories)
        {
            foreach (string resource in FoldersOf(directory, broken))
            {
                string name = Path.GetFileName(resource).ToLowerInvariant();
                string file = Path.Combine(resource, "kernel.json");
                if (!File.Exists(file) || taken.Contains(name))
                {
                    continue;
                }

                if (!IsValidName(name))
                {
                    broken.Add(
                        new BrokenKernelSpec(name, resource, "A kernel's name may hold only letters, digits, dots, dashes and underscores.")
                    );
                    continue;
                }

                try
                {
                    specs.Add(KernelSpec.Parse(name, resource, File.ReadAllText(file)));
                }
                catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
                {
                    broken.Add(new BrokenKernelSpec(name, resource, e.Message));
                }

                // A broken spec hides one of the same name further on, as it does in Jupyter: to start another kernel than the one that
                // was put in front would be a surprise.
                taken.Add(name);
            }
        }

        specs.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return new KernelSpecListing(specs, broken, directories);
    }

    /// <summary>Jupyter's rule, <c>^[a-z0-9._-]+$</c> without regard to case.</summary>
    public static bool IsValidName(string name)
    {
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))
            {
                return false;
            }
        }

        return name.Length > 0;
    }

    private static List<string> FoldersOf(string directory, List<BrokenKernelSpec> broken)
    {
        var folders = new List<string>();
        try
        {
            if (Directory.Exists(directory))
            {
                folders.AddRange(Directory.EnumerateDirectories(directory));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            broken.Add(new BrokenKernelSpec("", directory, e.Message));
        }

        folders.Sort(StringComparer.Ordinal);
        return folders;
    }

    private static void AddOnce(List<string> list, string? value)
    {
        if (value is not null && !list.Contains(value))
        {
            list.Add(value);
        }
    }

    private static string? NotEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
