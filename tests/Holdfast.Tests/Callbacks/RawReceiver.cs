using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Holdfast.Tests.Callbacks;

/// <summary>
/// A receiver on a plain socket that reads one request on each connection, then sends what it is told to, byte for byte, and closes; or
/// says nothing at all.
/// </summary>
internal sealed class RawReceiver : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TaskCompletionSource<string> _request = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _connections;

    /// <summary>Null is silence: the connection stays open.</summary>
    public RawReceiver(string? answer, bool isReset = false)
    {
        _listener.Start();
        _ = ServeAsync(answer, isReset);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>The first request, as text.</summary>
    public Task<string> RequestAsync() => _request.Task;

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync(string? answer, bool isReset)
    {
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptSocketAsync();
                Interlocked.Increment(ref _connections);
                byte[] buffer = new byte[64 * 1024];
                int read = 0;
                while (!IsWhole(Encoding.ASCII.GetString(buffer, 0, read)))
                {
                    read += await socket.ReceiveAsync(buffer.AsMemory(read));
                }

                _request.TrySetResult(Encoding.UTF8.GetString(buffer, 0, read));
                if (answer is null)
                {
                    continue;
                }

                await socket.SendAsync(Encoding.Latin1.GetBytes(answer));
                if (isReset)
                {
                    socket.LingerState = new LingerOption(true, 0);
                }
                else
                {
                    socket.Shutdown(SocketShutdown.Both);
                }

                socket.Dispose();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static bool IsWhole(string text)
    {
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return end >= 0 && text[(end + 4)..].EndsWith('}');
    }
}
