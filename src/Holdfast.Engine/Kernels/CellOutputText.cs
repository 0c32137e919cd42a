using System.Buffers;
using System.Text;
using System.Text.Json;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// A cell's output as bytes, for those who read it like a job's: the text of its streams, results and displays as plain text on stdout,
/// tracebacks on stderr. What a notebook shows is folded elsewhere; this is what a terminal would have seen.
/// </summary>
internal static class CellOutputText
{
    private static readonly byte[] Text = "text"u8.ToArray();
    private static readonly byte[] Bundle = "data"u8.ToArray();
    private static readonly byte[] Plain = "text/plain"u8.ToArray();

    /// <summary>The stream and text of one IOPub message; null when it says nothing.</summary>
    public static (bool IsError, string Text)? Of(JupyterMessage message)
    {
        switch (message.MessageType)
        {
            case "stream":
                string? text = JupyterJson.GetText(message.Content.Span, "text"u8);
                return string.IsNullOrEmpty(text) ? null : (JupyterJson.GetText(message.Content.Span, "name"u8) == "stderr", text);
            case "execute_result" or "display_data":
                return PlainText(message) is { } plain ? (false, plain + "\n") : null;
            case "error":
                return (true, Traceback(message));
            default:
                return null;
        }
    }

    public static long CountBytes(JupyterMessage message)
    {
        if (FinderOf(message.MessageType, into: null) is { } finder)
        {
            finder.Add(message.Content.Span);
            return finder.Count is { } count ? count + ExtraBytes(message.MessageType) : 0;
        }

        return Of(message) is { } said ? Encoding.UTF8.GetByteCount(said.Text) : 0;
    }

    /// <summary>
    /// What finds the text of such a message without making one string of it; null where there is more to it, or nothing.
    /// </summary>
    public static JsonTextFinder? FinderOf(string messageType, IBufferWriter<byte>? into) =>
        messageType switch
        {
            "stream" => new JsonTextFinder(Text, default, into),
            "execute_result" or "display_data" => new JsonTextFinder(Bundle, Plain, into),
            _ => null,
        };

    /// <summary>The line feed after a result.</summary>
    public static int ExtraBytes(string messageType) => messageType == "stream" ? 0 : 1;

    private static string? PlainText(JupyterMessage message)
    {
        using JsonDocument content = JsonDocument.Parse(message.Content);
        return
            content.RootElement.TryGetProperty("data", out JsonElement data)
            && data.ValueKind == JsonValueKind.Object
            && data.TryGetProperty("text/plain", out JsonElement plain)
            && plain.ValueKind == JsonValueKind.String
            ? plain.GetString()
            : null;
    }

    private static string Traceback(JupyterMessage message)
    {
        using JsonDocument content = JsonDocument.Parse(message.Content);
        var text = new StringBuilder();
        if (content.RootElement.TryGetProperty("traceback", out JsonElement lines) && lines.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement line in lines.EnumerateArray())
            {
                text.Append(line.GetString()).Append('\n');
            }
        }

        return text.Length > 0
            ? text.ToString()
            : $"{JupyterJson.GetText(message.Content.Span, "ename"u8)}: {JupyterJson.GetText(message.Content.Span, "evalue"u8)}\n";
    }
}
