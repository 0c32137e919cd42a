using System.Globalization;
using System.Text.Json;
using Holdfast.Engine;

namespace Holdfast.Server.Cli.Client;

/// <summary>
/// Turns an answer that is no success into the refusal it says, or into the plain statement that this is not a Holdfast server.
/// </summary>
internal static class Problem
{
    private const int BodyMax = 1 << 20;

    public static async Task<RefusedException> ReadAsync(HttpResponseMessage response, string url, CancellationToken cancellationToken)
    {
        string? mediaType = response.Content.Headers.ContentType?.MediaType;
        if (mediaType is "application/problem+json" && response.Content.Headers.ContentLength is null or <= BodyMax)
        {
            try
            {
                JsonElement problem = JsonFields.Parse(
                    await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false)
                );
                if (problem.Text("code") is { } code && (problem.Text("detail") ?? problem.Text("title")) is { } sentence)
                {
                    string? trace = code == ErrorCodes.InternalError ? problem.Text("traceId") : null;
                    return new RefusedException(code, trace is null ? sentence : $"{sentence} (trace {trace})");
                }
            }
            catch (JsonException)
            {
                // Said below: it does not speak as we do.
            }
        }

        return new RefusedException(
            ErrorCodes.ServerUnreachable,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{url} answers, but not as Holdfast does: HTTP {(int)response.StatusCode} {mediaType ?? "without content"}. See that the address is a Holdfast server's."
            )
        );
    }
}
