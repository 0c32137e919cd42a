using System.Net;
using System.Net.Sockets;

namespace Holdfast.Engine.Callbacks;

/// <summary>
/// Connects to a host only by addresses that are allowed. The name is resolved here, once, and the socket is connected to the very address
/// that was judged: a name that stands for something else a moment later gains nothing.
/// </summary>
public sealed class GuardedConnection(AddressGuard guard, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
{
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? Dns.GetHostAddressesAsync;

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        string host = context.DnsEndPoint.Host;
        IPAddress[] found = IPAddress.TryParse(host, out IPAddress? literal) ? [literal] : await _resolve(host, cancellationToken);
        // There is no way to a mapped one where IPv6 is off.
        IPAddress[] allowed = [.. found.Where(guard.IsAllowed).Select(static a => a.IsIPv4MappedToIPv6 ? a.MapToIPv4() : a)];
        if (allowed.Length == 0)
        {
            throw found.Length == 0
                ? new IOException($"{host} has no address.")
                : new AddressRefusedException(host, found.Select(static a => a.ToString()));
        }

        Exception? last = null;
        foreach (IPAddress address in allowed)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, context.DnsEndPoint.Port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception e)
            {
                socket.Dispose();
                last = e;
                if (cancellationToken.IsCancellationRequested)
                {
                    break;
                }
            }
        }

        throw last!;
    }
}
