using Holdfast.Protocol.Json;

namespace Holdfast.Protocol.Link;

/// <summary>
/// One message of the link: a type, a header of optional fields (which apply is said at the type), and a body of raw bytes.
/// Written and read by hand on our own JSON so that a supervisor pays for no serializer at start; unknown fields are ignored on read.
/// </summary>
public sealed record LinkMessage
{
    public required LinkMessageType Type { get; init; }

    /// <summary>Correlates a request with its Done or Refused; unique per connection; 0 for notices.</summary>
    public long Id { get; init; }

    public int Protocol { get; init; }
    public string? Version { get; init; }
    public string? Nonce { get; init; }
    public string? Mode { get; init; }
    public string? State { get; init; }
    public string[]? Capabilities { get; init; }
    public string? BootId { get; init; }
    public int Pid { get; init; }
    public long StartTicks { get; init; }

    /// <summary>The attempt a notice or request is about.</summary>
    public string? Attempt { get; init; }

    public string? Directory { get; init; }
    public long Position { get; init; }
    public int Signal { get; init; }
    public int? ExitCode { get; init; }
    public string? Cause { get; init; }
    public string? Reason { get; init; }
    public string? Code { get; init; }
    public long AtUnixNanoseconds { get; init; }
    public long GraceMs { get; init; }
    public bool End { get; init; }
    public bool Alive { get; init; }
    public bool StopOnError { get; init; }
    public string? MessageId { get; init; }
    public string? Group { get; init; }
    public string? Channel { get; init; }
    public int Rows { get; init; }
    public int Columns { get; init; }

    /// <summary>Requests by their message ids; null when the field is absent, which is not the same as an empty list.</summary>
    public string[]? After { get; init; }

    public ReadOnlyMemory<byte> Body { get; init; }

    public void WriteHeader(PlainJsonWriter writer)
    {
        writer.WriteStartObject();
        WriteNumber(writer, "id", Id);
        WriteNumber(writer, "protocol", Protocol);
        WriteText(writer, "version", Version);
        WriteText(writer, "nonce", Nonce);
        WriteText(writer, "mode", Mode);
        WriteText(writer, "state", State);
        WriteTexts(writer, "capabilities", Capabilities);

        WriteText(writer, "bootId", BootId);
        WriteNumber(writer, "pid", Pid);
        WriteNumber(writer, "startTicks", StartTicks);
        WriteText(writer, "attempt", Attempt);
        WriteText(writer, "directory", Directory);
        WriteNumber(writer, "position", Position);
        WriteNumber(writer, "signal", Signal);
        if (ExitCode is { } exitCode)
        {
            writer.WriteNumber("exitCode", exitCode);
        }

        WriteText(writer, "cause", Cause);
        WriteText(writer, "reason", Reason);
        WriteText(writer, "code", Code);
        WriteNumber(writer, "at", AtUnixNanoseconds);
        WriteNumber(writer, "graceMs", GraceMs);
        WriteFlag(writer, "end", End);
        WriteFlag(writer, "alive", Alive);
        WriteFlag(writer, "stopOnError", StopOnError);
        WriteText(writer, "messageId", MessageId);
        WriteText(writer, "group", Group);
        WriteText(writer, "channel", Channel);
        WriteNumber(writer, "rows", Rows);
        WriteNumber(writer, "columns", Columns);
        WriteTexts(writer, "after", After);
        writer.WriteEndObject();
    }

    /// <summary>
    /// Reads a header; throws <see cref="LinkFormatException"/> when it is not one JSON object with fields of the right kinds.
    /// </summary>
    public static LinkMessage Read(LinkMessageType type, ReadOnlySpan<byte> header, ReadOnlyMemory<byte> body)
    {
        try
        {
            return ReadFields(type, header, body);
        }
        catch (Exception e) when (e is JsonSyntaxException)
        {
            throw new LinkFormatException($"The header of a {type} message is not valid: {e.Message}");
        }
    }

    private static LinkMessage ReadFields(LinkMessageType type, ReadOnlySpan<byte> header, ReadOnlyMemory<byte> body)
    {
        var reader = new PlainJsonReader(header);
        long id = 0,
            startTicks = 0,
            position = 0,
            at = 0,
            graceMs = 0;
        int protocol = 0,
            pid = 0,
            signal = 0,
            rows = 0,
            columns = 0;
        int? exitCode = null;
        string? version = null,
            nonce = null,
            mode = null,
            state = null,
            bootId = null,
            attempt = null,
            directory = null,
            cause = null;
        string? reason = null,
            code = null,
            messageId = null,
            group = null,
            channel = null;
        string[]? capabilities = null,
            after = null;
        bool end = false,
            alive = false,
            stopOnError = false;

        if (!reader.Read() || reader.TokenType != JsonToken.StartObject)
        {
            throw new JsonSyntaxException("It is not an object.");
        }

        while (reader.Read() && reader.TokenType == JsonToken.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "id":
                    id = reader.GetInt64();
                    break;
                case "protocol":
                    protocol = reader.GetInt32();
                    break;
                case "version":
                    version = reader.GetString();
                    break;
                case "nonce":
                    nonce = reader.GetString();
                    break;
                case "mode":
                    mode = reader.GetString();
                    break;
                case "state":
                    state = reader.GetString();
                    break;
                case "capabilities":
                    capabilities = ReadTexts(ref reader);
                    break;
                case "bootId":
                    bootId = reader.GetString();
                    break;
                case "pid":
                    pid = reader.GetInt32();
                    break;
                case "startTicks":
                    startTicks = reader.GetInt64();
                    break;
                case "attempt":
                    attempt = reader.GetString();
                    break;
                case "directory":
                    directory = reader.GetString();
                    break;
                case "position":
                    position = reader.GetInt64();
                    break;
                case "signal":
                    signal = reader.GetInt32();
                    break;
                case "exitCode":
                    exitCode = reader.GetInt32();
                    break;
                case "cause":
                    cause = reader.GetString();
                    break;
                case "reason":
                    reason = reader.GetString();
                    break;
                case "code":
                    code = reader.GetString();
                    break;
                case "at":
                    at = reader.GetInt64();
                    break;
                case "graceMs":
                    graceMs = reader.GetInt64();
                    break;
                case "end":
                    end = reader.GetBoolean();
                    break;
                case "alive":
                    alive = reader.GetBoolean();
                    break;
                case "stopOnError":
                    stopOnError = reader.GetBoolean();
                    break;
                case "messageId":
                    messageId = reader.GetString();
                    break;
                case "group":
                    group = reader.GetString();
                    break;
                case "channel":
                    channel = reader.GetString();
                    break;
                case "rows":
                    rows = reader.GetInt32();
                    break;
                case "columns":
                    columns = reader.GetInt32();
                    break;
                case "after":
                    after = ReadTexts(ref reader);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new LinkMessage
        {
            Type = type,
            Id = id,
            Protocol = protocol,
            Version = version,
            Nonce = nonce,
            Mode = mode,
            State = state,
            Capabilities = capabilities,
            BootId = bootId,
            Pid = pid,
            StartTicks = startTicks,
            Attempt = attempt,
            Directory = directory,
            Position = position,
            Signal = signal,
            ExitCode = exitCode,
            Cause = cause,
            Reason = reason,
            Code = code,
            AtUnixNanoseconds = at,
            GraceMs = graceMs,
            End = end,
            Alive = alive,
            StopOnError = stopOnError,
            MessageId = messageId,
            Group = group,
            Channel = channel,
            Rows = rows,
            Columns = columns,
            After = after,
            Body = body,
        };
    }

    private static string[] ReadTexts(ref PlainJsonReader reader)
    {
        var texts = new List<string>();
        while (reader.Read() && reader.TokenType != JsonToken.EndArray)
        {
            texts.Add(reader.GetString() ?? "");
        }

        return texts.ToArray();
    }

    private static void WriteText(PlainJsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }

    private static void WriteTexts(PlainJsonWriter writer, string name, string[]? values)
    {
        if (values is null)
        {
            return;
        }

        writer.WriteStartArray(name);
        foreach (string value in values)
        {
            writer.WriteStringValue(value);
        }

        writer.WriteEndArray();
    }

    private static void WriteNumber(PlainJsonWriter writer, string name, long value)
    {
        if (value != 0)
        {
            writer.WriteNumber(name, value);
        }
    }

    private static void WriteFlag(PlainJsonWriter writer, string name, bool value)
    {
        if (value)
        {
            writer.WriteBoolean(name, true);
        }
    }
}

/// <summary>Bytes on the link that are not the link's format; the connection that sent them is closed.</summary>
public sealed class LinkFormatException(string message) : Exception(message);
