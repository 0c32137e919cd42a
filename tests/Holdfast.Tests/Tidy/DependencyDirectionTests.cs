using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Holdfast.Tests.Tidy;

/// <summary>Which project and which folder may know which: Protocol, then Supervisor beside Engine, then Server.</summary>
public sealed class DependencyDirectionTests
{
    private static readonly Dictionary<string, string[]> MayReferTo = new()
    {
        ["Holdfast.Protocol"] = [],
        ["Holdfast.Supervisor"] = ["Holdfast.Protocol"],
        ["Holdfast.Engine"] = ["Holdfast.Protocol"],
        ["Holdfast.Server"] = ["Holdfast.Engine", "Holdfast.Protocol"],
    };

    private static readonly string[] Doors = ["Jupyter", "Rest", "Rpc", "Mcp", "Cli"];

    // What the features stand on. Supervision may know the words of Executions (ids, states), and nothing else above it.
    private static readonly Dictionary<string, string[]> MayNotUse = new()
    {
        ["Store"] = ["Feed", "Supervision", "Executions", .. Features],
        ["Feed"] = ["Supervision", "Executions", .. Features],
        ["Supervision"] = Features,
    };

    private static string[] Features =>
        ["Jobs", "Terminals", "Kernels", "Notebooks", "Reactive", "Workflows", "Locks", "Assets", "Callbacks", "Repositories", "Recovery"];

    [Fact]
    public void Projects_refer_one_way_only()
    {
        var findings = new List<string>();
        foreach (string path in Repository.Files("src", "*.csproj", SearchOption.AllDirectories))
        {
            string project = Path.GetFileNameWithoutExtension(path);
            string[] allowed =
                MayReferTo.GetValueOrDefault(project)
                ?? throw new KeyNotFoundException($"{project} has no row in {nameof(DependencyDirectionTests)}");
            findings.AddRange(
                References(path, "ProjectReference")
                    .Select(r => Path.GetFileNameWithoutExtension(r))
                    .Except(allowed)
                    .Select(r => $"{project} refers to {r}")
            );
        }

        Repository.ExpectNone(findings, "A project refers to one it may not know:");
    }

    [Theory]
    [InlineData("Holdfast.Protocol")]
    [InlineData("Holdfast.Supervisor")]
    public void The_supervisor_and_its_protocol_use_no_package(string project) =>
        Assert.Empty(
            References($"src/{project}/{project}.csproj", "PackageReference")
                .Concat(References($"src/{project}/{project}.csproj", "FrameworkReference"))
        );

    [Fact]
    public void Doors_never_know_one_another() =>
        Repository.ExpectNone(
            from door in Doors
            from other in Doors
            where other != door
            from file in Repository.Product
            where file.IsIn($"src/Holdfast.Server/{door}") && Uses(file, "Holdfast.Server", other)
            select $"{file.Path} uses {other}",
            "A door uses another door; what both need is an operation, and belongs in the engine:"
        );

    [Fact]
    public void The_engine_knows_no_HTTP_server() =>
        Repository.ExpectNone(
            from file in Repository.Product
            where file.IsIn("src/Holdfast.Engine") && file.Code.Contains("Microsoft.AspNetCore", StringComparison.Ordinal)
            select file.Path,
            "The engine uses ASP.NET Core:"
        );

    [Fact]
    public void Store_feed_and_supervision_use_no_feature() =>
        Repository.ExpectNone(
            from rule in MayNotUse
            from other in rule.Value
            from file in Repository.Product
            where file.IsIn($"src/Holdfast.Engine/{rule.Key}") && Uses(file, "Holdfast.Engine", other)
            select $"{file.Path} uses {other}",
            "A folder uses one that stands on it:"
        );

    [Fact]
    public void Only_the_store_binds_to_SQLite() =>
        Repository.ExpectNone(
            from file in Repository.Product
            where !file.IsIn("src/Holdfast.Engine/Store") && file.Text.Contains("\"sqlite3_", StringComparison.Ordinal)
            select file.Path,
            "A call into SQLite outside Store:"
        );

    private static IEnumerable<string> References(string path, string kind) =>
        XDocument.Parse(Repository.Read(path)).Descendants(kind).Select(e => (string?)e.Attribute("Include")).OfType<string>();

    // A sibling namespace can be named in full, by a using, or from its parent: `Rest.Problem` inside Holdfast.Server.Cli.
    private static bool Uses(SourceFile file, string parent, string folder) =>
        Regex.IsMatch(file.Code, $@"\b{Regex.Escape(parent)}\.{folder}\b|(?<![\w.]){folder}\.[A-Z]\w*\s*[.(<{{\s]")
        && !Regex.IsMatch(file.Code, $@"^namespace {Regex.Escape(parent)}\.{folder}\b", RegexOptions.Multiline);
}
