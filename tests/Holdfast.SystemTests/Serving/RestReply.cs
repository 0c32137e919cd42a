using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Holdfast.SystemTests.Serving;

/// <summary>One whole answer of the REST door.</summary>
internal sealed class RestReply(int status, HttpResponseMessage message, byte[] body)
{
    private JsonDocument? _json;

    public int Status { get; } = status;
    public byte[] Body { get; } = body;
    public HttpResponseHeaders Headers { get; } = message.Headers;
    public string? ContentType { get; } = message.Content.Headers.ContentType?.MediaType;

    public string Text => Encoding.UTF8.GetString(Body);
    public JsonElement Json => (_json ??= JsonDocument.Parse(Body)).RootElement;

    /// <summary>The code of a problem; null when the answer is none.</summary>
    public string? Code => ContentType == "application/problem+json" ? Json.GetProperty("code").GetString() : null;

    public string? Detail => Code is null ? null : Json.GetProperty("detail").GetString();

    public ExecutionReply Execution => new(Json);

    public string? Header(string name) => Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(",", values) : null;

    public long Number(string header) => long.Parse(Header(header)!, CultureInfo.InvariantCulture);

    /// <summary>Itself when the status is the expected one; else the test ends with what was said.</summary>
    public RestReply Must(int expected) =>
        Status == expected ? this : throw new UnexpectedAnswerException(Status, $"Expected {expected}, but was answered {Status}: {Text}");
}

/// <summary>Another status than the one that was to come.</summary>
internal sealed class UnexpectedAnswerException(int status, string message) : InvalidOperationException(message)
{
    public int Status { get; } = status;
}

/// <summary>An execution as REST shows it.</summary>
internal sealed class ExecutionReply(JsonElement json)
{
    private static readonly string[] Final = ["succeeded", "failed", "cancelled", "timedOut", "lost"];

    public string Id => json.GetProperty("id").GetString()!;
    public string State => json.GetProperty("state").GetString()!;
    public bool IsFinal => Final.Contains(State);
    public int Attempt => json.GetProperty("attempt").GetInt32();
    public int? ExitCode => Number("exitCode");
    public int? Signal => Number("signal");
    public string? Cause => json.GetProperty("cause").GetString();
    public string? Reason => json.GetProperty("reason").GetString();
    public int? QueuePosition => Number("queuePosition");
    public long? OutputBytes => json.GetProperty("outputBytes") is { ValueKind: JsonValueKind.Number } number ? number.GetInt64() : null;
    public string? Supervisor => json.TryGetProperty("supervisor", out JsonElement health) ? health.GetString() : null;
    public string? Stalled => json.TryGetProperty("stalled", out JsonElement stalled) ? stalled.GetString() : null;

    public override string ToString() => json.ToString();

    private int? Number(string name) => json.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? number.GetInt32() : null;
}
