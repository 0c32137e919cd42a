using System.Text.Json.Nodes;

namespace Holdfast.Engine.Preferences;

/// <summary>
/// Merges one JSON object into another as Jupyter's configuration does: objects into objects, null takes a field away, anything else
/// replaces what is there.
/// </summary>
public static class JsonMerge
{
    public static void Apply(JsonObject target, JsonObject changes)
    {
        foreach ((string name, JsonNode? change) in changes)
        {
            if (change is JsonObject inner)
            {
                var kept = target[name] as JsonObject ?? [];
                Apply(kept, inner);
                Put(target, name, kept);
            }
            else if (change is null)
            {
                _ = target.Remove(name);
            }
            else
            {
                target[name] = change.DeepClone();
            }
        }
    }

    /// <summary>An object that the merge has left empty is taken away, too.</summary>
    private static void Put(JsonObject target, string name, JsonObject value)
    {
        if (value.Count == 0)
        {
            _ = target.Remove(name);
        }
        else if (!ReferenceEquals(target[name], value))
        {
            target[name] = value;
        }
    }
}
