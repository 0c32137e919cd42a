using System.Text.RegularExpressions;

namespace Holdfast.Tests.Tidy;

/// <summary>
/// Documents name only what exists. Decisions (docs/adr) are never edited, so they may name what is gone; their links still resolve.
/// </summary>
public sealed partial class DocumentTests
{
    private static readonly string[] Roots = ["src", "tests", "bench", "docs", "eng", "examples", "web", ".ci"];

    private static IEnumerable<string> LivingDocuments =>
        Repository.Documents.Where(d => !d.StartsWith("docs/adr/", StringComparison.Ordinal) && d != "CHANGELOG.md");

    [Fact]
    public void Every_link_resolves()
    {
        var findings = new List<string>();
        foreach (string document in Repository.Documents)
        {
            foreach (Match link in Link().Matches(WithoutFences(Repository.Read(document))))
            {
                string[] target = link.Groups["target"].Value.Split('#');
                string path =
                    target[0].Length == 0
                        ? document
                        : Path.GetRelativePath(
                            Repository.Root,
                            Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(document)!, target[0]))
                        );
                if (!Repository.Exists(path))
                {
                    findings.Add($"{document}: {link.Groups["target"].Value}");
                }
                else if (target.Length > 1 && path.EndsWith(".md", StringComparison.Ordinal) && !Anchors(path).Contains(target[1]))
                {
                    findings.Add($"{document}: no heading for #{target[1]} in {path}");
                }
            }
        }

        Repository.ExpectNone(findings, "A link leads nowhere:");
    }

    [Fact]
    public void Every_path_in_backticks_exists() =>
        Repository.ExpectNone(
            from document in LivingDocuments
            from token in Backticked(document)
            where
                Roots.Contains(token.Split('/')[0]) && token.Contains('/', StringComparison.Ordinal) && !token.AsSpan().ContainsAny("<>{} ")
            where !PathExists(token)
            select $"{document}: `{token}`",
            "A path that is not there:"
        );

    [Fact]
    public void Every_type_in_backticks_exists()
    {
        // Known are the words of our code (so also the types of the framework that it uses) and of the project files.
        HashSet<string> known = [.. Repository.Sources.SelectMany(s => Word().Matches(s.Code)).Select(m => m.Value)];
        known.UnionWith(
            Repository
                .Files(".", "Directory.*", SearchOption.TopDirectoryOnly)
                .Concat(Repository.Files("src", "*.csproj", SearchOption.AllDirectories))
                .SelectMany(f => Word().Matches(Repository.Read(f)))
                .Select(m => m.Value)
        );
        Repository.ExpectNone(
            from document in LivingDocuments
            from token in Backticked(document)
            where TypeName().IsMatch(token)
            from part in token.Split('.')
            where !known.Contains(part)
            select $"{document}: `{token}`",
            "A name that no source has:"
        );
    }

    [Fact]
    public void Decisions_are_numbered_in_sequence_and_have_every_section()
    {
        string[] decisions =
        [
            .. Repository
                .Files("docs/adr", "*.md", SearchOption.TopDirectoryOnly)
                .Where(p => !p.EndsWith("README.md", StringComparison.Ordinal)),
        ];
        string[] sections = ["Status", "Context", "Decision", "Consequences", "What would change our mind"];
        Repository.ExpectNone(
            decisions
                .Select((path, index) => (path, number: $"{index + 1:0000}"))
                .Where(d =>
                    !Path.GetFileName(d.path).StartsWith(d.number + "-", StringComparison.Ordinal)
                    || !Repository.Read(d.path).StartsWith($"# {d.number} ", StringComparison.Ordinal)
                    || sections.Any(s => !Repository.Read(d.path).Contains($"\n## {s}\n", StringComparison.Ordinal))
                )
                .Select(d => $"{d.path} (expected number {d.number})"),
            "A decision out of sequence, or without one of its sections:"
        );
    }

    [Fact]
    public void Every_decision_is_in_the_list()
    {
        string list = Repository.Read("docs/adr/README.md");
        Repository.ExpectNone(
            Repository
                .Files("docs/adr", "0*.md", SearchOption.TopDirectoryOnly)
                .Select(p => Path.GetFileName(p))
                .Where(name => !list.Contains($"({name})", StringComparison.Ordinal)),
            "A decision that docs/adr/README.md does not list:"
        );
    }

    [Fact]
    public void Every_package_has_its_reason()
    {
        string reasons = Repository.Read("docs/dependencies.md");
        Repository.ExpectNone(
            from Match package in PackageVersion().Matches(Repository.Read("Directory.Packages.props"))
            let name = package.Groups[1].Value
            where !reasons.Contains($"| {name} |", StringComparison.Ordinal)
            select name,
            "A package without its line in docs/dependencies.md:"
        );
    }

    [Fact]
    public void Every_reason_has_its_package()
    {
        string packages = Repository.Read("Directory.Packages.props");
        string reasons = Repository.Read("docs/dependencies.md").Split("\n## From the system\n")[0];
        Repository.ExpectNone(
            from Match row in Row().Matches(reasons)
            let name = row.Groups[1].Value
            where name != "package" && !packages.Contains($"Include=\"{name}\"", StringComparison.Ordinal)
            select name,
            "A line in docs/dependencies.md for a package that is gone:"
        );
    }

    [Fact]
    public void The_architecture_fits_in_200_lines() => Assert.InRange(Repository.Read("ARCHITECTURE.md").Split('\n').Length, 1, 201);

    [Fact]
    public void Every_room_is_on_the_map()
    {
        string map = Repository.Read("ARCHITECTURE.md");
        Repository.ExpectNone(
            Repository
                .Sources.Select(static s => s.Path.Split('/'))
                .Where(static p => p[0] == "src" && p.Length > 3)
                .Select(static p => string.Join('/', p[..3]) + "/")
                .Distinct()
                .Where(room => !map.Contains($"`{room}", StringComparison.Ordinal)),
            "A room that ARCHITECTURE.md does not show:"
        );
    }

    private static IEnumerable<string> Backticked(string document) =>
        Backtick().Matches(WithoutFences(Repository.Read(document))).Select(m => m.Groups[1].Value);

    private static bool PathExists(string token)
    {
        string path = token.TrimEnd('/');
        if (!path.Contains('*', StringComparison.Ordinal))
        {
            return Repository.Exists(path);
        }

        var pattern = new Regex(
            "^"
                + Regex.Escape(path).Replace(@"\*\*/", "(.*/)?", StringComparison.Ordinal).Replace(@"\*", "[^/]*", StringComparison.Ordinal)
                + "$"
        );
        return Repository.Files(path.Split('/')[0], "*", SearchOption.AllDirectories).Any(pattern.IsMatch);
    }

    private static HashSet<string> Anchors(string document) =>
        [
            .. Heading()
                .Matches(WithoutFences(Repository.Read(document)))
                .Select(m => NotInAnchor().Replace(m.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-')),
        ];

    private static string WithoutFences(string text) => Fence().Replace(text, "");

    [GeneratedRegex(@"\]\((?!\w+:)(?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(?<!`)`([^`\n]+)`(?!`)")]
    private static partial Regex Backtick();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"^#{1,6} (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();

    [GeneratedRegex(@"^[A-Z][a-z0-9]+[A-Z]\w*(\.[A-Z]\w+)*$")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"[A-Za-z_]\w*")]
    private static partial Regex Word();

    [GeneratedRegex(@"^\| ([A-Za-z][\w.]*) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"<PackageVersion Include=""([^""]+)""")]
    private static partial Regex PackageVersion();
}
