using System.Text;
using Holdfast.Engine.Kernels;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Tests.Fakes;

/// <summary>Jupyter messages as a kernel's journal gives them.</summary>
internal static class KernelMessages
{
    /// <summary>Of a notebook run: sent by the server itself, under the session of the incarnation "kernel".</summary>
    public static KernelMessage Request(string id, long position) =>
        Of(JournalChannel.ShellRequest, "execute_request", id, "", """{"code":"1"}""", position, session: "kernel");

    /// <summary>Of a client.</summary>
    public static KernelMessage Sent(
        string id,
        long position,
        string content = """{"code":"1","silent":false}""",
        string metadata = "{}"
    ) => Of(JournalChannel.ShellRequest, "execute_request", id, "", content, position, session: "a client", metadata: metadata);

    public static KernelMessage Reply(string request, long position, string content = """{"status":"ok","execution_count":1}""") =>
        Of(JournalChannel.Shell, "execute_reply", "reply", request, content, position);

    public static KernelMessage Error(string request, long position, string name = "ValueError") =>
        Reply(request, position, $$"""{"status":"error","ename":"{{name}}","evalue":"no"}""");

    public static KernelMessage Status(string request, string state, long position) =>
        Of(JournalChannel.IoPub, "status", "status", request, $$"""{"execution_state":"{{state}}"}""", position);

    public static KernelMessage Stream(string request, string text, long position) =>
        Of(JournalChannel.IoPub, "stream", "stream", request, $$"""{"name":"stdout","text":"{{text}}"}""", position);

    public static KernelMessage Of(
        JournalChannel channel,
        string type,
        string id,
        string parent,
        string content,
        long position,
        string parentType = "execute_request",
        string session = "session",
        string metadata = "{}"
    )
    {
        byte[] multipart = Multipart.Encode(
            "identity"u8.ToArray(),
            JupyterMessage.Delimiter.ToArray(),
            "signature"u8.ToArray(),
            Header(type, id, session),
            Header(parentType, parent, session),
            Encoding.UTF8.GetBytes(metadata),
            Encoding.UTF8.GetBytes(content)
        );
        return new KernelMessage(channel, JupyterMessage.TryParse(multipart)!, position * 1000, position, position + 1);
    }

    private static byte[] Header(string type, string id, string session) =>
        JupyterHeader.Create(type, id, session, "user", DateTimeOffset.UnixEpoch).Write();
}
