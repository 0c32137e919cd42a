namespace Holdfast.Protocol.Jupyter;

/// <summary>
/// Where Jupyter keeps what is installed for it (jupyter_core.paths.jupyter_path): kernelspecs, and JupyterLab's own files. Nothing of
/// Python is run.
/// </summary>
public static class JupyterFolders
{
    /// <summary>
    /// Its data folders in order of precedence: JUPYTER_PATH; then the user's folder and the active environment's (the environment first
    /// when one is plainly active, or as JUPYTER_PREFER_ENV_PATH says); then the system's. They need not be there.
    /// </summary>
    public static IReadOnlyList<string> Data(Func<string, string?> variable)
    {
        var roots = new List<string>();
        foreach (string path in (variable("JUPYTER_PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            roots.Add(path.TrimEnd('/'));
        }

        string? home = NotEmpty(variable("HOME"));
        string? user =
            NotEmpty(variable("JUPYTER_DATA_DIR"))
            ?? (NotEmpty(variable("XDG_DATA_HOME")) is { } dataHome ? Path.Combine(dataHome, "jupyter") : null)
            ?? (home is null ? null : Path.Combine(home, ".local", "share", "jupyter"));

        var environments = new List<string>();
        foreach (string name in (ReadOnlySpan<string>)["VIRTUAL_ENV", "CONDA_PREFIX"])
        {
            if (NotEmpty(variable(name)) is { } prefix)
            {
                environments.Add(Path.Combine(prefix, "share", "jupyter"));
            }
        }

        bool isEnvironmentFirst = PrefersEnvironment(variable);
        AddUnlessNull(roots, isEnvironmentFirst ? null : user);
        roots.AddRange(environments);
        AddUnlessNull(roots, isEnvironmentFirst ? user : null);
        roots.Add("/usr/local/share/jupyter");
        roots.Add("/usr/share/jupyter");
        return roots;
    }

    private static bool PrefersEnvironment(Func<string, string?> variable)
    {
        if (NotEmpty(variable("JUPYTER_PREFER_ENV_PATH")) is { } said)
        {
            return said.ToLowerInvariant() is not ("no" or "n" or "false" or "off" or "0" or "0.0");
        }

        return NotEmpty(variable("VIRTUAL_ENV")) is not null
            || (NotEmpty(variable("CONDA_PREFIX")) is not null && variable("CONDA_DEFAULT_ENV") is not (null or "base"));
    }

    private static void AddUnlessNull(List<string> list, string? value)
    {
        if (value is not null)
        {
            list.Add(value);
        }
    }

    private static string? NotEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
