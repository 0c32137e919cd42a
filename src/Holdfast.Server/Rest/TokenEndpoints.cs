using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Access;
using Holdfast.Server.Hosting;
using Holdfast.Server.Hosting.Access;

namespace Holdfast.Server.Rest;

/// <summary>/v1/tokens: who may come in, and with what scopes. All of it takes the scope manage.</summary>
internal static class TokenEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet(
            "/v1/tokens",
            (RequestDelegate)(
                context =>
                {
                    IReadOnlyList<ApiToken> tokens = door.Engine.ListTokens.Run();
                    long now = TimeProvider.System.NowMicroseconds();
                    return RestAnswer.WriteAsync(
                        context,
                        200,
                        writer =>
                        {
                            writer.WriteStartArray();
                            foreach (ApiToken token in tokens)
                            {
                                Write(writer, token, now);
                            }

                            writer.WriteEndArray();
                        }
                    );
                }
            )
        );
        routes.MapPost("/v1/tokens", (RequestDelegate)(context => CreateAsync(context, door)));
        routes.MapDelete(
            "/v1/tokens/{id}",
            (RequestDelegate)(
                async context =>
                {
                    string id = (string)context.Request.RouteValues["id"]!;
                    ApiToken revoked = await door.Engine.RevokeToken.RunAsync(
                        id,
                        RestQuery.Text(context, "reason"),
                        context.RequestAborted
                    );
                    await RestAnswer.WriteAsync(context, 200, writer => Write(writer, revoked, TimeProvider.System.NowMicroseconds()));
                }
            )
        );
    }

    private static async Task CreateAsync(HttpContext context, EngineDoor door)
    {
        CreateTokenBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.CreateTokenBody);
        TimeSpan? life = body.ExpiresInSeconds is { } seconds
            ? seconds is > 0 and < int.MaxValue
                ? TimeSpan.FromSeconds(seconds)
                : throw new RefusedException(ErrorCodes.InvalidRequest, "expiresInSeconds must be above 0.")
            : null;
        CreatedToken created = await door.Engine.CreateToken.RunAsync(
            new NewToken(body.Name, AccessScopeNames.Parse(body.Scopes), life),
            Admission.BearerOf(context),
            context.RequestAborted
        );
        context.Response.Headers.Location = $"/v1/tokens/{created.Token.Id}";
        context.Response.Headers.CacheControl = "no-store";
        await RestAnswer.WriteAsync(context, 201, writer => Write(writer, created.Token, created.Token.CreatedAt, created.Text));
    }

    /// <param name="text">The token itself: in the answer to its making, and never again.</param>
    internal static void Write(Utf8JsonWriter writer, ApiToken token, long now, string? text = null)
    {
        writer.WriteStartObject();
        writer.WriteString("id", token.Id);
        writer.WriteString("name", token.Name);
        writer.WriteStartArray("scopes");
        foreach (string scope in token.Scopes.List())
        {
            writer.WriteStringValue(scope);
        }

        writer.WriteEndArray();
        writer.WriteString("state", token.StateAt(now));
        writer.WriteString("createdBy", token.CreatedBy);
        ExecutionJson.WriteTime(writer, "createdAt", token.CreatedAt);
        ExecutionJson.WriteTime(writer, "expiresAt", token.ExpiresAt);
        ExecutionJson.WriteTime(writer, "revokedAt", token.RevokedAt);
        writer.WriteString("reason", token.RevokeReason);
        if (text is not null)
        {
            writer.WriteString("token", text);
        }

        writer.WriteEndObject();
    }
}
