namespace Holdfast.Protocol.Jupyter;

/// <summary>Reads the <c>msg_type</c> of a header without making a text of it where it is one of those that come all the time.</summary>
internal static class JupyterMessageTypes
{
    public static string Read(ReadOnlySpan<byte> header)
    {
        if (!JupyterJson.TryGetRaw(header, "msg_type"u8, out ReadOnlySpan<byte> type))
        {
            return "";
        }

        return type switch
        {
            _ when type.SequenceEqual("status"u8) => "status",
            _ when type.SequenceEqual("stream"u8) => "stream",
            _ when type.SequenceEqual("execute_request"u8) => "execute_request",
            _ when type.SequenceEqual("execute_reply"u8) => "execute_reply",
            _ when type.SequenceEqual("execute_input"u8) => "execute_input",
            _ when type.SequenceEqual("execute_result"u8) => "execute_result",
            _ when type.SequenceEqual("display_data"u8) => "display_data",
            _ when type.SequenceEqual("comm_msg"u8) => "comm_msg",
            _ when type.SequenceEqual("kernel_info_request"u8) => "kernel_info_request",
            _ => JupyterJson.GetText(header, "msg_type"u8) ?? "",
        };
    }
}
