namespace Holdfast.Engine.Terminals;

/// <summary>
/// What a terminal runs when nothing else is said: the user's shell, as a login shell, since the server's environment may be that of no
/// session.
/// </summary>
internal static class TerminalShell
{
    private static readonly string[] Usual = ["/bin/bash", "/bin/sh"];

    /// <summary>Of $SHELL and the usual ones the first that is there.</summary>
    public static string[] Argv(string? preferred, Func<string, bool> exists)
    {
        string shell =
            preferred is { Length: > 0 } && Path.IsPathRooted(preferred) && exists(preferred)
                ? preferred
                : Array.Find(Usual, s => exists(s)) ?? Usual[^1];
        return [shell, "-l"];
    }

    /// <summary>As Jupyter reads a working directory: as it is, else below the root; else the root.</summary>
    public static string Directory(string? asked, string root, Func<string, bool> exists)
    {
        if (string.IsNullOrEmpty(asked) || asked.Contains('\0'))
        {
            return root;
        }

        string below = Path.Combine(root, asked.TrimStart('/'));
        return Path.IsPathRooted(asked) && exists(asked) ? asked
            : exists(below) ? Path.GetFullPath(below)
            : root;
    }
}
