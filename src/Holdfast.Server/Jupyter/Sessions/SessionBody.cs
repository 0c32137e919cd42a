using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Sessions;

namespace Holdfast.Server.Jupyter.Sessions;

/// <summary>
/// What clients say of sessions: path, type and name, or an old client's notebook with a path and a name; and a kernel by id or by its
/// kernelspec's name.
/// </summary>
internal static class SessionBody
{
    public static StartSessionRequest ReadStart(JsonElement body)
    {
        SessionChange given = ReadChange(body);
        return new StartSessionRequest(given.Path ?? throw Missing("path"), given.Type ?? throw Missing("type"))
        {
            Name = given.Name,
            KernelId = given.KernelId,
            SpecName = given.SpecName,
        };
    }

    public static SessionChange ReadChange(JsonElement body)
    {
        JsonElement? notebook = Object(body, "notebook");
        JsonElement? kernel = Object(body, "kernel");
        return new SessionChange
        {
            Path = JupyterBody.Text(body, "path") ?? (notebook is { } old ? JupyterBody.Text(old, "path") : null),
            Name = JupyterBody.Text(body, "name") ?? (notebook is { } named ? JupyterBody.Text(named, "name") : null),
            Type = JupyterBody.Text(body, "type") ?? (notebook is null ? null : "notebook"),
            KernelId = kernel is { } byId && JupyterBody.Text(byId, "id") is { } id ? new KernelId(id) : null,
            SpecName = kernel is { } byName ? JupyterBody.Text(byName, "name") : null,
        };
    }

    private static RefusedException Missing(string field) => new(ErrorCodes.InvalidRequest, $"Field missing in JSON data: {field}");

    private static JsonElement? Object(JsonElement body, string name) =>
        !body.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Object ? value
        : throw new RefusedException(ErrorCodes.InvalidRequest, $"The field '{name}' must be an object.");
}
