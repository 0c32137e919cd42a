using System.Text.Json;

namespace Holdfast.Engine.Preferences;

/// <summary>One plugin's settings: the text as the user wrote it, comments and all, and what it says.</summary>
public sealed record LabSetting(string Id, string Raw, JsonElement Value, DateTimeOffset? ModifiedAt);

/// <summary>
/// JupyterLab's user settings by plugin: the users' text. What may stand in it is its schema's matter. Errors: invalid-json,
/// invalid-request, disk-full.
/// </summary>
public sealed class LabSettings(PreferenceFolder folder)
{
    private const string Nothing = "{}";

    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    public IReadOnlyList<LabSetting> List() => [.. folder.List().Select(static p => Of(p.Name, p))];

    /// <summary>Of a plugin that nothing is kept of, the empty settings.</summary>
    public LabSetting Get(string id) => Of(id, folder.Find(id));

    /// <summary>Those of a plugin that nothing is kept of.</summary>
    public static LabSetting Unsaved(string id) => Of(id, null);

    public void Save(string id, string raw)
    {
        try
        {
            using var document = JsonDocument.Parse(raw, Lenient);
        }
        catch (JsonException e)
        {
            throw new RefusedException(
                ErrorCodes.InvalidJson,
                $"The settings of {id} are not JSON, with or without comments, at line {e.LineNumber + 1}. They were not saved."
            );
        }

        folder.Change(id, _ => System.Text.Encoding.UTF8.GetBytes(raw));
    }

    private static LabSetting Of(string id, Preference? kept)
    {
        string raw = kept is null ? Nothing : System.Text.Encoding.UTF8.GetString(kept.Content);
        try
        {
            using var document = JsonDocument.Parse(raw, Lenient);
            return new LabSetting(id, raw, document.RootElement.Clone(), kept?.ModifiedAt);
        }
        catch (JsonException)
        {
            // Changed by another hand: its text is shown, so that its user can mend it.
            using var document = JsonDocument.Parse(Nothing);
            return new LabSetting(id, raw, document.RootElement.Clone(), kept?.ModifiedAt);
        }
    }
}
