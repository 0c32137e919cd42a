using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// Makes an HTTP request a WebSocket, RFC 6455 section 4.2, and finds the way past the web server's buffers: what is written to the
/// connection's own socket once the answer is on its way needs no other thread, and is with the system when the call returns.
/// </summary>
internal static class Handshake
{
    private static readonly TimeSpan FlushPatience = TimeSpan.FromSeconds(5);

    public static bool IsWebSocket(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        && context.Request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase)
        && context.Request.Headers.SecWebSocketVersion == "13"
        && KeyOf(context) is not null;

    /// <summary>The v1 framing when the client offers it, whatever else it offers; the legacy one else.</summary>
    public static bool OffersV1(HttpContext context) =>
        context.Request.Headers.GetCommaSeparatedValues("Sec-WebSocket-Protocol").Contains(V1Framing.Subprotocol);

    public static async Task<(Stream Stream, ClientWire Wire)> AcceptAsync(
        HttpContext context,
        bool isV1,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.Connection = "Upgrade";
        headers.Upgrade = "websocket";
#pragma warning disable CA5350 // The protocol's own choice; it proves nothing but that the peer speaks it.
        headers.SecWebSocketAccept = Convert.ToBase64String(
            SHA1.HashData(Encoding.ASCII.GetBytes(KeyOf(context) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
        );
#pragma warning restore CA5350
        if (isV1)
        {
            headers.SecWebSocketProtocol = V1Framing.Subprotocol;
        }

        Socket? socket = context.Features.Get<ITlsHandshakeFeature>() is null
            ? context.Features.Get<IConnectionSocketFeature>()?.Socket
            : null;
        TcpHandle? tcp = socket is null ? null : TcpHandle.Of(socket);
        long before = tcp?.Taken() ?? 0;
        Stream stream = await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
        if (tcp is null)
        {
            // Without a way to see when the answer has left, ours might overtake it.
            return (stream, new ClientWire(stream, null, null, 0));
        }

        long start = time.GetTimestamp();
        while (tcp.Taken() == before && time.GetElapsedTime(start) < FlushPatience)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), time, cancellationToken);
        }

        return (stream, new ClientWire(stream, socket, tcp, tcp.Taken()));
    }

    private static string? KeyOf(HttpContext context) =>
        context.Request.Headers.SecWebSocketKey.ToString() is { Length: 24 } key
        && Convert.TryFromBase64String(key, stackalloc byte[18], out int length)
        && length == 16
            ? key
            : null;
}
