using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels.Clients;

/// <summary>
/// The session under which a kernel spoke in one incarnation: what the server says in its place must carry it, or clients take it for
/// another kernel's.
/// </summary>
public static class KernelVoice
{
    private const int LooksMax = 200;

    /// <summary>From the first messages of a journal; empty when the kernel said nothing.</summary>
    public static string SessionOf(string journal)
    {
        using var pieces = new MessagePieces(journal, 0);
        for (int i = 0; i < LooksMax && pieces.Read() is PieceKind.First or PieceKind.Next; i++)
        {
            if (JupyterJson.GetText(pieces.Shape.Header(pieces.Payload.Span), "session"u8) is { Length: > 0 } session)
            {
                return session;
            }
        }

        return "";
    }
}
