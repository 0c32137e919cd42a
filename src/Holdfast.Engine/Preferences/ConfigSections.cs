using System.Text.Json;
using System.Text.Json.Nodes;

namespace Holdfast.Engine.Preferences;

/// <summary>
/// Front ends' configuration by section, each one JSON object. One that nobody has written is empty. Errors: invalid-request, disk-full.
/// </summary>
public sealed class ConfigSections(PreferenceFolder folder)
{
    public JsonObject Get(string section) => Parse(folder.Find(section)?.Content);

    public void Replace(string section, JsonElement value) => folder.Change(section, _ => Bytes(value));

    /// <summary>The section as it is after the merge (<see cref="JsonMerge"/>).</summary>
    public JsonObject Merge(string section, JsonElement changes) =>
        Parse(
            folder.Change(
                section,
                kept =>
                {
                    JsonObject merged = Parse(kept);
                    JsonMerge.Apply(merged, JsonObject.Create(changes)!);
                    return System.Text.Encoding.UTF8.GetBytes(merged.ToJsonString());
                }
            )
        );

    private static byte[] Bytes(JsonElement value) => System.Text.Encoding.UTF8.GetBytes(value.GetRawText());

    private static JsonObject Parse(byte[]? content)
    {
        try
        {
            return content is null ? [] : JsonNode.Parse(content) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            return []; // Somebody's hand was in it. A front end does better with its defaults than with none.
        }
    }
}
