using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Holdfast.SystemTests.Serving;

/// <summary>One request as a receiver of callbacks got it.</summary>
internal sealed record ReceivedWebhook(string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Id => Headers["webhook-id"];
    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>Checks the signature as Standard Webhooks 1.0 says, with nothing of the product's own.</summary>
    public bool IsSignedBy(string secret)
    {
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{Id}.{Headers["webhook-timestamp"]}."), .. Body];
        string expected = "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), signed));
        return Headers["webhook-signature"].Split(' ').Contains(expected);
    }
}

/// <summary>
/// A receiver of callbacks at a local port, on plain sockets so that it can answer anything: a test says what, for each request. An answer
/// of null closes the connection without a word.
/// </summary>
internal sealed class WebhookReceiver : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Func<ReceivedWebhook, string?> _answer;

    public WebhookReceiver(Func<ReceivedWebhook, string?>? answer = null)
    {
        _answer = answer ?? (static _ => Status(200));
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;
    public ConcurrentQueue<ReceivedWebhook> Received { get; } = new();

    public string Url(string path = "/hook") => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}{path}");

    public static string Status(int status, string body = "", params string[] headers) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status} Whatever\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{string.Concat(headers.Select(static h => h + "\r\n"))}\r\n{body}"
        );

    public Task WaitForAsync(int count) => Patience.UntilAsync(() => Received.Count >= count, $"{count} callbacks had come");

    public void Dispose()
    {
        _stopping.Cancel();
        _listener.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stopping.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await using NetworkStream stream = client.GetStream();
                while (await ReadAsync(stream) is { } request)
                {
                    Received.Enqueue(request);
                    if (_answer(request) is not { } answer)
                    {
                        return;
                    }

                    await stream.WriteAsync(Encoding.UTF8.GetBytes(answer));
                }
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
            {
                // A server that was killed, or the end of the test.
            }
        }
    }

    private static async Task<ReceivedWebhook?> ReadAsync(NetworkStream stream)
    {
        var bytes = new List<byte>();
        byte[] one = new byte[1];
        while (!(bytes.Count >= 4 && bytes[^1] == '\n' && bytes[^3] == '\n'))
        {
            if (await stream.ReadAsync(one) == 0)
            {
                return null;
            }

            bytes.Add(one[0]);
        }

        string[] lines = Encoding.ASCII.GetString([.. bytes]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines
            .Skip(1)
            .Select(static l => l.Split(": ", 2))
            .ToDictionary(static h => h[0], static h => h[1], StringComparer.OrdinalIgnoreCase);
        byte[] body = new byte[int.Parse(headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body);
        return new ReceivedWebhook(lines[0].Split(' ')[1], headers, body);
    }
}
