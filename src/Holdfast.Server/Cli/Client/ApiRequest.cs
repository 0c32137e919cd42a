using System.Text.Json;

namespace Holdfast.Server.Cli.Client;

/// <summary>One request to the REST door.</summary>
public sealed record ApiRequest(HttpMethod Method, string Path)
{
    public byte[]? Body { get; init; }

    /// <summary>Opens a body that is too large to hold; anew for each try.</summary>
    public Func<Stream>? OpenBody { get; init; }

    public string ContentType { get; init; } = "application/json";

    public string? IdempotencyKey { get; init; }

    /// <summary>
    /// Reading, and what carries an idempotency key or ends up the same, may be sent again when it is not known whether it arrived.
    /// </summary>
    public bool IsRepeatable { get; init; } = Method == HttpMethod.Get;

    /// <summary>How long the server may take beyond the usual: a long poll's own time.</summary>
    public TimeSpan ServerTime { get; init; }

    public static ApiRequest Get(string path) => new(HttpMethod.Get, path);

    public static ApiRequest Post(string path, Action<Utf8JsonWriter>? body = null) =>
        new(HttpMethod.Post, path) { Body = body is null ? null : JsonFields.Write(body) };
}
