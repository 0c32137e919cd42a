using System.Text.Json;

namespace Holdfast.Engine.Preferences;

/// <summary>One layout of JupyterLab's windows: its id, and what Lab wants kept, which nobody else reads.</summary>
public sealed record LabWorkspace(string Id, JsonElement Content, DateTimeOffset? ModifiedAt);

/// <summary>JupyterLab's saved layouts. Errors: invalid-request, workspace-not-found, disk-full.</summary>
public sealed class LabWorkspaces(PreferenceFolder folder)
{
    public IReadOnlyList<LabWorkspace> List() => [.. folder.List().Select(static p => Of(p.Name, p))];

    /// <summary>One that was never saved is empty: Lab fills it.</summary>
    public LabWorkspace Get(string id) => Of(id, folder.Find(id));

    public void Save(string id, JsonElement content)
    {
        string? named =
            content.TryGetProperty("metadata", out JsonElement metadata)
            && metadata.ValueKind == JsonValueKind.Object
            && metadata.TryGetProperty("id", out JsonElement given)
            && given.ValueKind == JsonValueKind.String
                ? given.GetString()
                : null;
        if (named != id || !content.TryGetProperty("data", out JsonElement data) || data.ValueKind != JsonValueKind.Object)
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"A workspace is {{\"data\":{{...}},\"metadata\":{{\"id\":...}}}}, and its id is that of the address, '{id}'."
            );
        }

        folder.Change(id, _ => System.Text.Encoding.UTF8.GetBytes(content.GetRawText()));
    }

    public void Delete(string id)
    {
        if (!folder.Delete(id))
        {
            throw new RefusedException(ErrorCodes.WorkspaceNotFound, $"There is no workspace '{id}'.");
        }
    }

    private static LabWorkspace Of(string id, Preference? kept)
    {
        try
        {
            using var document = JsonDocument.Parse(kept?.Content ?? "{}"u8.ToArray());
            return new LabWorkspace(id, document.RootElement.Clone(), kept?.ModifiedAt);
        }
        catch (JsonException)
        {
            using var document = JsonDocument.Parse("{}");
            return new LabWorkspace(id, document.RootElement.Clone(), kept?.ModifiedAt);
        }
    }
}
