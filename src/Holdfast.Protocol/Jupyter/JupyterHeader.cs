using System.Globalization;
using System.Text.Json;
using Holdfast.Protocol.Json;

namespace Holdfast.Protocol.Jupyter;

/// <summary>The header of a Jupyter message, which is also what its parent frame holds. Missing fields are empty, as in the parent of an
/// unasked message.</summary>
public sealed class JupyterHeader
{
    /// <summary>The version we speak; kernels announce theirs in kernel_info_reply, and say 5.3 even where they do more.</summary>
    public const string ProtocolVersion = "5.3";

    public string MessageId { get; init; } = "";
    public string Session { get; init; } = "";
    public string Username { get; init; } = "";
    public string MessageType { get; init; } = "";

    /// <summary>As it was sent. Ours are ISO 8601 in UTC with six decimals and a <c>Z</c>, which every client parses.</summary>
    public string Date { get; init; } = "";

    public string Version { get; init; } = ProtocolVersion;

    /// <summary>A header of ours, dated.</summary>
    public static JupyterHeader Create(string messageType, string messageId, string session, string username, DateTimeOffset at) =>
        new()
        {
            MessageType = messageType,
            MessageId = messageId,
            Session = session,
            Username = username,
            Date = at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        };

    /// <summary>Reads a header or parent frame; what is broken or missing is empty, for a message is kept even when its header cannot be
    /// understood.</summary>
    public static JupyterHeader Read(ReadOnlySpan<byte> json)
    {
        string messageId = "",
            session = "",
            username = "",
            messageType = "",
            date = "",
            version = "";
        var reader = new Utf8JsonReader(json);
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = reader.GetString()!;
                reader.Read();
                string text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
                switch (name)
                {
                    case "msg_id":
                        messageId = text;
                        break;
                    case "session":
                        session = text;
                        break;
                    case "username":
                        username = text;
                        break;
                    case "msg_type":
                        messageType = text;
                        break;
                    case "date":
                        date = text;
                        break;
                    case "version":
                        version = text;
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What was read before the damage stands.
        }

        return new JupyterHeader
        {
            MessageId = messageId,
            Session = session,
            Username = username,
            MessageType = messageType,
            Date = date,
            Version = version,
        };
    }

    public byte[] Write()
    {
        var writer = new PlainJsonWriter();
        writer.WriteStartObject();
        writer.WriteString("msg_id", MessageId);
        writer.WriteString("session", Session);
        writer.WriteString("username", Username);
        writer.WriteString("date", Date);
        writer.WriteString("msg_type", MessageType);
        writer.WriteString("version", Version);
        writer.WriteEndObject();
        return writer.Written.ToArray();
    }
}
