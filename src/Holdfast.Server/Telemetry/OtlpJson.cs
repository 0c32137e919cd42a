using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Holdfast.Engine;

namespace Holdfast.Server.Telemetry;

/// <summary>One log record, as it was when it was written.</summary>
internal sealed record LogEntry(
    string Category,
    LogLevel Level,
    EventId Event,
    string Text,
    IReadOnlyList<KeyValuePair<string, object?>> Fields,
    Exception? Exception,
    DateTimeOffset At,
    ActivityContext Trace
);

/// <summary>
/// Writes OTLP's requests in its JSON form (opentelemetry.io/docs/specs/otlp): ids in hexadecimal, 64-bit numbers as text, enumerations as
/// numbers.
/// </summary>
internal static class OtlpJson
{
    public static byte[] Traces(IReadOnlyList<Activity> activities, IReadOnlyList<KeyValuePair<string, string>> resource) =>
        Write(writer =>
        {
            writer.WriteStartArray("resourceSpans");
            writer.WriteStartObject();
            Resource(writer, resource);
            writer.WriteStartArray("scopeSpans");
            foreach (IGrouping<string, Activity> scope in activities.GroupBy(static a => a.Source.Name))
            {
                writer.WriteStartObject();
                Scope(writer, scope.Key);
                writer.WriteStartArray("spans");
                foreach (Activity activity in scope)
                {
                    Span(writer, activity);
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteEndArray();
        });

    public static byte[] Logs(IReadOnlyList<LogEntry> entries, IReadOnlyList<KeyValuePair<string, string>> resource) =>
        Write(writer =>
        {
            writer.WriteStartArray("resourceLogs");
            writer.WriteStartObject();
            Resource(writer, resource);
            writer.WriteStartArray("scopeLogs");
            foreach (IGrouping<string, LogEntry> scope in entries.GroupBy(static e => e.Category))
            {
                writer.WriteStartObject();
                Scope(writer, scope.Key);
                writer.WriteStartArray("logRecords");
                foreach (LogEntry entry in scope)
                {
                    Record(writer, entry);
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteEndArray();
        });

    private static void Span(Utf8JsonWriter writer, Activity activity)
    {
        writer.WriteStartObject();
        writer.WriteString("traceId", activity.TraceId.ToHexString());
        writer.WriteString("spanId", activity.SpanId.ToHexString());
        if (activity.ParentSpanId != default)
        {
            writer.WriteString("parentSpanId", activity.ParentSpanId.ToHexString());
        }

        writer.WriteString("name", activity.DisplayName);
        writer.WriteNumber(
            "kind",
            activity.Kind switch
            {
                ActivityKind.Server => 2,
                ActivityKind.Client => 3,
                ActivityKind.Producer => 4,
                ActivityKind.Consumer => 5,
                _ => 1,
            }
        );
        writer.WriteString("startTimeUnixNano", Nanoseconds(activity.StartTimeUtc));
        writer.WriteString("endTimeUnixNano", Nanoseconds(activity.StartTimeUtc + activity.Duration));
        Attributes(writer, activity.TagObjects);
        writer.WriteStartObject("status");
        if (activity.Status != ActivityStatusCode.Unset)
        {
            writer.WriteNumber("code", activity.Status == ActivityStatusCode.Ok ? 1 : 2);
        }

        if (activity.StatusDescription is { } description)
        {
            writer.WriteString("message", description);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Record(Utf8JsonWriter writer, LogEntry entry)
    {
        writer.WriteStartObject();
        writer.WriteString("timeUnixNano", Nanoseconds(entry.At.UtcDateTime));
        writer.WriteString("observedTimeUnixNano", Nanoseconds(entry.At.UtcDateTime));
        (int number, string name) = entry.Level switch
        {
            LogLevel.Trace => (1, "TRACE"),
            LogLevel.Debug => (5, "DEBUG"),
            LogLevel.Information => (9, "INFO"),
            LogLevel.Warning => (13, "WARN"),
            LogLevel.Error => (17, "ERROR"),
            _ => (21, "FATAL"),
        };
        writer.WriteNumber("severityNumber", number);
        writer.WriteString("severityText", name);
        writer.WriteStartObject("body");
        writer.WriteString("stringValue", entry.Text);
        writer.WriteEndObject();
        List<KeyValuePair<string, object?>> fields = [new("event.id", entry.Event.Id), .. entry.Fields];
        if (entry.Exception is { } exception)
        {
            fields.Add(new("exception.type", exception.GetType().FullName));
            fields.Add(new("exception.message", exception.Message));
            fields.Add(new("exception.stacktrace", exception.ToString()));
        }

        Attributes(writer, fields);
        if (entry.Trace.TraceId != default)
        {
            writer.WriteString("traceId", entry.Trace.TraceId.ToHexString());
            writer.WriteString("spanId", entry.Trace.SpanId.ToHexString());
        }

        writer.WriteEndObject();
    }

    private static void Resource(Utf8JsonWriter writer, IReadOnlyList<KeyValuePair<string, string>> resource)
    {
        writer.WriteStartObject("resource");
        Attributes(writer, resource.Select(static p => new KeyValuePair<string, object?>(p.Key, p.Value)));
        writer.WriteEndObject();
    }

    private static void Scope(Utf8JsonWriter writer, string name)
    {
        writer.WriteStartObject("scope");
        writer.WriteString("name", name);
        writer.WriteString("version", ProductVersion.Current);
        writer.WriteEndObject();
    }

    private static void Attributes(Utf8JsonWriter writer, IEnumerable<KeyValuePair<string, object?>> pairs)
    {
        writer.WriteStartArray("attributes");
        foreach ((string key, object? value) in pairs)
        {
            if (value is null)
            {
                continue;
            }

            writer.WriteStartObject();
            writer.WriteString("key", key);
            writer.WriteStartObject("value");
            switch (value)
            {
                case bool truth:
                    writer.WriteBoolean("boolValue", truth);
                    break;
                case int or long or short or byte or uint or ushort or sbyte:
                    writer.WriteString(
                        "intValue",
                        Convert.ToInt64(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture)
                    );
                    break;
                case double or float when double.IsFinite(Convert.ToDouble(value, CultureInfo.InvariantCulture)):
                    writer.WriteNumber("doubleValue", Convert.ToDouble(value, CultureInfo.InvariantCulture));
                    break;
                default:
                    writer.WriteString("stringValue", Convert.ToString(value, CultureInfo.InvariantCulture));
                    break;
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static string Nanoseconds(DateTime utc) =>
        ((utc.Ticks - DateTime.UnixEpoch.Ticks) * 100).ToString(CultureInfo.InvariantCulture);

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
