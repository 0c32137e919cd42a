using System.Text.Json.Nodes;
using Holdfast.Engine.Preferences;

namespace Holdfast.Tests.Preferences;

/// <summary>How a change is merged into a section of the configuration: as Jupyter does.</summary>
public sealed class JsonMergeTests
{
    [Theory]
    [InlineData("{}", """{"a":1}""", """{"a":1}""")]
    [InlineData("""{"a":1,"b":2}""", """{"a":3}""", """{"a":3,"b":2}""")]
    [InlineData("""{"a":{"x":1,"y":2}}""", """{"a":{"x":3,"z":4}}""", """{"a":{"x":3,"y":2,"z":4}}""")]
    [InlineData("""{"a":1,"b":2}""", """{"a":null}""", """{"b":2}""")]
    [InlineData("""{"a":{"x":1}}""", """{"a":{"x":null}}""", "{}")]
    [InlineData("""{"a":1}""", """{"a":{"x":1}}""", """{"a":{"x":1}}""")]
    [InlineData("""{"a":[1,2]}""", """{"a":[3]}""", """{"a":[3]}""")]
    [InlineData("{}", """{"a":{"b":{"c":[{"d":1}]}}}""", """{"a":{"b":{"c":[{"d":1}]}}}""")]
    [InlineData("""{"a":1}""", "{}", """{"a":1}""")]
    public void Objects_merge_null_takes_away_and_all_else_replaces(string target, string changes, string merged)
    {
        JsonObject kept = JsonNode.Parse(target)!.AsObject();
        JsonMerge.Apply(kept, JsonNode.Parse(changes)!.AsObject());
        Assert.Equal(merged, kept.ToJsonString());
    }
}
