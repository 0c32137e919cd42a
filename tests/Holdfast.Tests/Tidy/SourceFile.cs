using System.Text.RegularExpressions;

namespace Holdfast.Tests.Tidy;

/// <summary>One C# file of the repository, by its path from the root.</summary>
internal sealed partial class SourceFile
{
    public SourceFile(string path, string text)
    {
        Path = path;
        Text = text;
        (Code, Comments) = SourceText.Split(text);
    }

    public string Path { get; }

    public string Text { get; }

    /// <summary>Without strings and comments.</summary>
    public string Code { get; }

    public string Comments { get; }

    public string FolderNamespace =>
        System.IO.Path.GetDirectoryName(Path)!.Replace('/', '.')[(Path.IndexOf('/', StringComparison.Ordinal) + 1)..];

    public IEnumerable<string> DeclaredTypes => TypeDeclaration().Matches(Code).Select(m => m.Groups["name"].Value);

    public bool IsIn(string folder) => Path.StartsWith(folder + "/", StringComparison.Ordinal);

    public bool Mentions(string word) => Regex.IsMatch(Code, $@"\b{Regex.Escape(word)}\b");

    [GeneratedRegex(
        @"\b(class|struct|interface|enum|record(\s+(class|struct))?|delegate\s+[\w<>\[\]?.,\s]+?)\s+(?<name>[A-Z]\w*)\s*(?=[<({:;]|where\b|$)",
        RegexOptions.Multiline
    )]
    private static partial Regex TypeDeclaration();
}
