namespace Holdfast.Engine.Contents;

/// <summary>How the root folder is served.</summary>
public sealed record ContentsOptions
{
    /// <summary>
    /// Files whose name, or a folder's above them, begins with a dot are listed and served. Default: no, as with Jupyter.
    /// </summary>
    public bool AllowsHidden { get; init; }

    /// <summary>
    /// The freedesktop trash that deleted things go to; null deletes for good. It is not used for what lies on another disk.
    /// </summary>
    public string? TrashFolder { get; init; } = DefaultTrashFolder(Environment.GetEnvironmentVariable);

    /// <summary><c>$XDG_DATA_HOME/Trash</c>, else <c>~/.local/share/Trash</c>; none for a user without a home.</summary>
    public static string? DefaultTrashFolder(Func<string, string?> environment) =>
        environment("XDG_DATA_HOME") is { Length: > 0 } data && Path.IsPathRooted(data) ? Path.Combine(data, "Trash")
        : environment("HOME") is { Length: > 0 } home && Path.IsPathRooted(home) ? Path.Combine(home, ".local", "share", "Trash")
        : null;
}
