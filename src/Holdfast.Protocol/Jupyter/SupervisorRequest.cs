using System.Globalization;

namespace Holdfast.Protocol.Jupyter;

/// <summary>The ids of a supervisor's own requests to its kernel, by which they are told from cells.</summary>
public static class SupervisorRequest
{
    private const string Mark = "_supervisor_";
    private static ReadOnlySpan<byte> MarkBytes => "_supervisor_"u8;

    public static string Id(string session, int count) => string.Create(CultureInfo.InvariantCulture, $"{session}{Mark}{count}");

    public static bool Is(string messageId) => messageId.Contains(Mark, StringComparison.Ordinal);

    /// <summary>
    /// Whether the header is that of something a supervisor asked a kernel that starts: its kernel_info and its settings, of which nobody
    /// else is to hear. What it orders on control, an interrupt or the end, concerns every client.
    /// </summary>
    public static bool IsQuestion(ReadOnlySpan<byte> header) =>
        header.IndexOf(MarkBytes) >= 0 // Most are others' requests, and need no second look.
        && JupyterJson.TryGetRaw(header, "msg_id"u8, out ReadOnlySpan<byte> id)
        && id.IndexOf(MarkBytes) >= 0
        && JupyterJson.TryGetRaw(header, "msg_type"u8, out ReadOnlySpan<byte> type)
        && (type.SequenceEqual("kernel_info_request"u8) || type.SequenceEqual("execute_request"u8));
}
