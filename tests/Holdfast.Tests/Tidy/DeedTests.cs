using System.Text.Json;
using System.Text.RegularExpressions;

namespace Holdfast.Tests.Tidy;

/// <summary>The audit trail speaks of operations by their names, not of the routes that led to them.</summary>
public sealed class DeedTests
{
    private static readonly HashSet<string> Recorded =
    [
        .. from file in Repository.Product
        where file.Path.StartsWith("src/Holdfast.Engine/", StringComparison.Ordinal)
        from Match match in Regex.Matches(file.Text, @"\b(?:Does|Record|Command|Announce)\([^;]*?(?:nameof\(|"")(?<name>[A-Z]\w+)")
        select match.Groups["name"].Value,
    ];

    [Fact]
    public void Every_operation_of_REST_that_changes_something_says_what_it_is()
    {
        using JsonDocument openApi = JsonDocument.Parse(Repository.Read("src/Holdfast.Server/Rest/openapi.json"));
        Repository.ExpectNone(
            from path in openApi.RootElement.GetProperty("paths").EnumerateObject()
            from method in path.Value.EnumerateObject()
            where method.Name is "post" or "put" or "patch" or "delete"
            let id = method.Value.GetProperty("operationId").GetString()!
            let name = id == "putAsset" ? "StoreAsset" : char.ToUpperInvariant(id[0]) + id[1..]
            where !Recorded.Contains(name)
            select $"{method.Name} {path.Name}: {name}",
            "Operations that neither record themselves in their transaction nor say Actor.Does(nameof(...)):"
        );
    }
}
