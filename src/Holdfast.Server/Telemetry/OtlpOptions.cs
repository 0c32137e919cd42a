using Holdfast.Engine;

namespace Holdfast.Server.Telemetry;

/// <summary>
/// Where telemetry goes, by OpenTelemetry's own variables (opentelemetry.io/docs/specs/otel/protocol/exporter):
/// OTEL_EXPORTER_OTLP_ENDPOINT, or one for each signal; ..._HEADERS; OTEL_SERVICE_NAME; OTEL_RESOURCE_ATTRIBUTES; OTEL_SDK_DISABLED. Sent
/// is OTLP over HTTP in JSON, whatever OTEL_EXPORTER_OTLP_PROTOCOL says: every collector takes it at its HTTP port.
/// </summary>
internal sealed record OtlpOptions(
    Uri? Traces,
    Uri? Logs,
    IReadOnlyList<KeyValuePair<string, string>> Headers,
    IReadOnlyList<KeyValuePair<string, string>> Resource
)
{
    /// <summary>Null when nobody asks for telemetry. Throws what a person is to be told when an address is none.</summary>
    public static OtlpOptions? Read(Func<string, string?> environment)
    {
        if (string.Equals(environment("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        Uri? traces = Address(environment, "TRACES", "v1/traces");
        Uri? logs = Address(environment, "LOGS", "v1/logs");
        if (traces is null && logs is null)
        {
            return null;
        }

        List<KeyValuePair<string, string>> resource = Pairs(environment("OTEL_RESOURCE_ATTRIBUTES"));
        if (environment("OTEL_SERVICE_NAME") is { Length: > 0 } name)
        {
            resource.RemoveAll(static p => p.Key == "service.name");
            resource.Add(new("service.name", name));
        }
        else if (!resource.Exists(static p => p.Key == "service.name"))
        {
            resource.Add(new("service.name", "holdfast"));
        }

        resource.Add(new("service.version", ProductVersion.Current));
        resource.Add(new("host.name", Environment.MachineName));
        return new OtlpOptions(traces, logs, Pairs(environment("OTEL_EXPORTER_OTLP_HEADERS")), resource);
    }

    private static Uri? Address(Func<string, string?> environment, string signal, string path)
    {
        string own = $"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT";
        (string name, string? text) =
            environment(own) is { Length: > 0 } given ? (own, given)
            : environment("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 } shared
                ? ("OTEL_EXPORTER_OTLP_ENDPOINT", shared.TrimEnd('/') + "/" + path)
            : ("", null);
        return text is null ? null
            : Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https" ? address
            : throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"{name} is no http address: {text}. Give one such as http://127.0.0.1:4318, or leave it out."
            );
    }

    /// <summary>As in W3C baggage: a=1,b=2, percent-encoded.</summary>
    private static List<KeyValuePair<string, string>> Pairs(string? text) =>
        [
            .. from pair in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            let at = pair.IndexOf('=', StringComparison.Ordinal)
            where at > 0
            select new KeyValuePair<string, string>(pair[..at].Trim(), Uri.UnescapeDataString(pair[(at + 1)..].Trim())),
        ];
}
