using System.Text.RegularExpressions;

namespace Holdfast.Tests.Tidy;

/// <summary>Names say a role: no word that fits everything, and namespaces that equal folders.</summary>
public sealed class NameTests
{
    private static readonly string[] Banned =
    [
        "Manager",
        "Helper",
        "Helpers",
        "Util",
        "Utils",
        "Utility",
        "Utilities",
        "Service",
        "Impl",
        "Base",
        "Info",
        "Data",
        "Processor",
        "Common",
    ];

    [Fact]
    public void No_type_has_a_banned_suffix() =>
        Repository.ExpectNone(
            from file in Repository.Sources
            from type in file.DeclaredTypes
            from suffix in Banned
            where type.EndsWith(suffix, StringComparison.Ordinal)
            select $"{file.Path}: {type}",
            "A suffix that fits everything hides a role that is not understood yet:"
        );

    [Fact]
    public void Namespaces_equal_folders() =>
        Repository.ExpectNone(
            from file in Repository.Sources
            where file.DeclaredTypes.Any() && Path.GetFileName(file.Path) != "Program.cs"
            let found = Regex.Match(file.Code, @"^namespace ([\w.]+);", RegexOptions.Multiline).Groups[1].Value
            where found != file.FolderNamespace
            select $"{file.Path}: '{found}' should be '{file.FolderNamespace}'",
            "A namespace differs from its folder:"
        );
}
