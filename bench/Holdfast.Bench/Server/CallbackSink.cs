using System.Net;
using System.Net.Sockets;

namespace Holdfast.Bench.Server;

/// <summary>
/// A receiver of callbacks that answers every POST with 200, but for one path that it never answers; a thread for each connection, as few
/// system calls as can be. It counts what it answered.
/// </summary>
internal sealed class CallbackSink : IDisposable
{
    public const string DeadPath = "/dead";

    private static readonly byte[] Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray();
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private int _answered;

    public CallbackSink()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        new Thread(Accept) { IsBackground = true }.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;
    public int Answered => Volatile.Read(ref _answered);

    public void Dispose() => _listener.Dispose();

    private void Accept()
    {
        try
        {
            while (true)
            {
                Socket connection = _listener.Accept();
                connection.NoDelay = true;
                new Thread(() => Serve(connection), 256 * 1024) { IsBackground = true }.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The bench is over.
        }
    }

    private void Serve(Socket connection)
    {
        using (connection)
        {
            byte[] buffer = new byte[64 * 1024];
            int filled = 0;
            try
            {
                while (true)
                {
                    int read = connection.Receive(buffer.AsSpan(filled));
                    if (read == 0)
                    {
                        return;
                    }

                    // One request at a time, whose body ends with a brace at the end of what has come.
                    filled += read;
                    ReadOnlySpan<byte> request = buffer.AsSpan(0, filled);
                    int head = request.IndexOf("\r\n\r\n"u8);
                    if (head < 0 || !request[(head + 4)..].EndsWith("}}"u8) || request.StartsWith("POST /dead "u8))
                    {
                        continue;
                    }

                    filled = 0;
                    _ = connection.Send(Ok);
                    Interlocked.Increment(ref _answered);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The server was killed.
            }
        }
    }
}
