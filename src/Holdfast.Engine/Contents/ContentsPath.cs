namespace Holdfast.Engine.Contents;

/// <summary>
/// A path under the root as clients name it: segments between slashes, relative to the root, which is the empty path. It is only words:
/// what it leads to is <see cref="ContentsRoot"/>'s to find.
/// </summary>
public readonly record struct ContentsPath
{
    private ContentsPath(string text) => Text = text;

    /// <summary>Without slashes at either end.</summary>
    public string Text { get; }

    public bool IsRoot => Text.Length == 0;

    /// <summary>The last segment; empty for the root.</summary>
    public string Name => Text[(Text.LastIndexOf('/') + 1)..];

    public ContentsPath Parent => new(Text.LastIndexOf('/') is > 0 and var slash ? Text[..slash] : "");

    /// <summary>True if a segment begins with a dot: such files are neither listed nor served unless the server was told to.</summary>
    public bool IsHidden => Text.StartsWith('.') || Text.Contains("/.", StringComparison.Ordinal);

    public bool IsNotebook => Text.EndsWith(".ipynb", StringComparison.Ordinal);

    /// <summary>
    /// Refused as contents-not-found: a path with a dot segment or a NUL names nothing here, whatever it would mean to a file system.
    /// </summary>
    public static ContentsPath Parse(string text)
    {
        string[] segments = text.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return Array.Exists(segments, s => s is "." or ".." || s.Contains('\0', StringComparison.Ordinal))
            ? throw NotFound(text)
            : new ContentsPath(string.Join('/', segments));
    }

    /// <summary>The path of an entry of this folder.</summary>
    public ContentsPath Child(string name) => new(IsRoot ? name : $"{Text}/{name}");

    public RefusedException NotFound() => NotFound(Text);

    public override string ToString() => Text;

    private static RefusedException NotFound(string text) =>
        new(
            ErrorCodes.ContentsNotFound,
            $"There is no file or folder '{text.Replace("\0", "\\0", StringComparison.Ordinal)}' under the server's root folder."
        );
}
