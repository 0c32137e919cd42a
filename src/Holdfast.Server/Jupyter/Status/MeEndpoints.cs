using System.Text.Json;
using Holdfast.Engine;

namespace Holdfast.Server.Jupyter.Status;

/// <summary>/api/me: who the caller is. There is one user, the server's; whoever has the token may do everything.</summary>
internal static class MeEndpoints
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/me", (RequestDelegate)(context =>
        {
            string? asked = context.Request.Query.TryGetValue("permissions", out var value) ? value.ToString() : null;
            return JupyterAnswer.WriteAsync(context, 200, writer => Write(writer, Environment.UserName, asked));
        }));

    /// <param name="permissions">The permissions asked about, as JSON: <c>{"contents":["read"]}</c>. All are granted.</param>
    internal static void Write(Utf8JsonWriter writer, string user, string? permissions)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("identity");
        writer.WriteString("username", user);
        writer.WriteString("name", user);
        writer.WriteString("display_name", user);
        writer.WriteString("initials", user.Length == 0 ? "" : user[..1].ToUpperInvariant());
        writer.WriteNull("avatar_url");
        writer.WriteNull("color");
        writer.WriteEndObject();
        writer.WriteStartObject("permissions");
        WritePermissions(writer, permissions);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WritePermissions(Utf8JsonWriter writer, string? asked)
    {
        if (string.IsNullOrEmpty(asked))
        {
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(asked);
            foreach (JsonProperty resource in document.RootElement.EnumerateObject())
            {
                resource.WriteTo(writer);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, "permissions must be a JSON object of lists, such as {\"contents\":[\"read\"]}.");
        }
    }
}
