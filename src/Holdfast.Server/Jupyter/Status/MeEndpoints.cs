using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Access;
using Holdfast.Server.Hosting.Access;

namespace Holdfast.Server.Jupyter.Status;

/// <summary>
/// /api/me: who the caller is, by his token's name, and what its scopes let him do. Whoever has the data directory's own token is the
/// server's user.
/// </summary>
internal static class MeEndpoints
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet(
            "/api/me",
            (RequestDelegate)(
                context =>
                {
                    string? asked = context.Request.Query.TryGetValue("permissions", out var value) ? value.ToString() : null;
                    Bearer bearer = Admission.BearerOf(context);
                    string user = bearer.TokenId == ApiToken.MainId ? Environment.UserName : bearer.Name;
                    return JupyterAnswer.WriteAsync(context, 200, writer => Write(writer, user, asked, bearer.Scopes));
                }
            )
        );

    /// <param name="permissions">The permissions asked about, as JSON: <c>{"contents":["read"]}</c>. Those that the scopes contain are
    /// granted.</param>
    internal static void Write(Utf8JsonWriter writer, string user, string? permissions, AccessScopes scopes = AccessScopes.All)
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
        WritePermissions(writer, permissions, scopes);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WritePermissions(Utf8JsonWriter writer, string? asked, AccessScopes scopes)
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
                writer.WriteStartArray(resource.Name);
                foreach (
                    JsonElement action in resource
                        .Value.EnumerateArray()
                        .Where(a => scopes.HasFlag(a.GetString() == "read" ? AccessScopes.Read : AccessScopes.Run))
                )
                {
                    action.WriteTo(writer);
                }

                writer.WriteEndArray();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                "permissions must be a JSON object of lists, such as {\"contents\":[\"read\"]}."
            );
        }
    }
}
