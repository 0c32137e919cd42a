namespace Holdfast.Tests.Tidy;

/// <summary>The working tree that the tidy tests read: found upwards from the test binary, read once.</summary>
internal static class Repository
{
    private static readonly Lazy<IReadOnlyList<SourceFile>> ReadOnce = new(ReadSources);

    public static string Root { get; } = FindRoot();

    /// <summary>Every C# file under src, tests and bench.</summary>
    public static IReadOnlyList<SourceFile> Sources => ReadOnce.Value;

    public static IEnumerable<SourceFile> Product => Sources.Where(s => s.IsIn("src"));

    public static IEnumerable<string> Documents =>
        Files(".", "*.md", SearchOption.TopDirectoryOnly).Concat(Files("docs", "*.md", SearchOption.AllDirectories));

    /// <summary>Paths from the root, with slashes, in order; none when the folder is not there.</summary>
    public static IEnumerable<string> Files(string folder, string pattern, SearchOption depth)
    {
        string full = Path.GetFullPath(Path.Combine(Root, folder));
        return Directory.Exists(full)
            ? Directory.EnumerateFiles(full, pattern, depth).Select(f => Path.GetRelativePath(Root, f)).Order(StringComparer.Ordinal)
            : [];
    }

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static bool Exists(string path) => Path.Exists(Path.Combine(Root, path));

    /// <summary>Fails with every finding at once, so that one run shows all there is to do.</summary>
    public static void ExpectNone(IEnumerable<string> findings, string rule)
    {
        string[] all = [.. findings];
        Assert.True(all.Length == 0, $"{rule}\n  {string.Join("\n  ", all)}");
    }

    private static List<SourceFile> ReadSources() =>
        [
            .. new[] { "src", "tests", "bench" }
                .SelectMany(folder => Files(folder, "*.cs", SearchOption.AllDirectories))
                .Select(path => new SourceFile(path, Read(path))),
        ];

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Holdfast.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new DirectoryNotFoundException($"No Holdfast.slnx above {AppContext.BaseDirectory}");
    }
}
