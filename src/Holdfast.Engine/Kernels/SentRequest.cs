using System.Diagnostics.CodeAnalysis;
using System.Text;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// What is kept of a client's execute_request: the code as JSON, which cell of a notebook it says it is of, and who sent it.
/// </summary>
internal sealed record SentRequest(string Json, string? CellId, string? Session, string? Username)
{
    /// <summary>Longer code is left to the journal, which has it anyway.</summary>
    private const int CodeBytesMax = 1024 * 1024;

    /// <summary>False for a silent request: it is no execution.</summary>
    public static bool TryRead(JupyterMessage request, [NotNullWhen(true)] out SentRequest? read)
    {
        read = null;
        ReadOnlySpan<byte> content = request.Content.Span;
        if (JupyterJson.IsTrue(content, "silent"u8))
        {
            return false;
        }

        // The escapes stay as the client wrote them: it is JSON there and JSON here.
        string json =
            JupyterJson.TryGetRaw(content, "code"u8, out ReadOnlySpan<byte> code) && code.Length <= CodeBytesMax
                ? $$"""{"code":"{{Encoding.UTF8.GetString(code)}}"}"""
                : "{}";
        ReadOnlySpan<byte> header = request.HeaderJson.Span;
        ReadOnlySpan<byte> metadata = request.MetadataJson.Span;
        read = new SentRequest(
            json,
            JupyterJson.GetText(metadata, "cellId"u8) ?? JupyterJson.GetText(metadata, "cell_id"u8),
            JupyterJson.GetText(header, "session"u8),
            JupyterJson.GetText(header, "username"u8)
        );
        return true;
    }
}
