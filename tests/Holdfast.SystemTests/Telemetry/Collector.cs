using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Holdfast.SystemTests.Telemetry;

/// <summary>One span as a collector was sent it.</summary>
internal sealed record SentSpan(string TraceId, string SpanId, string? ParentSpanId, string Name, JsonElement Json);

/// <summary>A small OTLP receiver: HTTP with a length, an answer a request. It can be out of order for a while.</summary>
internal sealed class Collector : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<(string Path, JsonElement Body)> _received = []; // guarded by itself
    private int _refusals;

    public Collector(int refusals = 0)
    {
        _refusals = refusals;
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Url => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public List<SentSpan> Spans =>
        [
            .. from body in Bodies("/v1/traces")
            from resource in body.GetProperty("resourceSpans").EnumerateArray()
            from scope in resource.GetProperty("scopeSpans").EnumerateArray()
            from span in scope.GetProperty("spans").EnumerateArray()
            select new SentSpan(
                span.GetProperty("traceId").GetString()!,
                span.GetProperty("spanId").GetString()!,
                span.TryGetProperty("parentSpanId", out JsonElement parent) ? parent.GetString() : null,
                span.GetProperty("name").GetString()!,
                span
            ),
        ];

    public List<JsonElement> LogRecords =>
        [
            .. from body in Bodies("/v1/logs")
            from resource in body.GetProperty("resourceLogs").EnumerateArray()
            from scope in resource.GetProperty("scopeLogs").EnumerateArray()
            from record in scope.GetProperty("logRecords").EnumerateArray()
            select record,
        ];

    public void Dispose() => _listener.Dispose();

    private List<JsonElement> Bodies(string path)
    {
        lock (_received)
        {
            return [.. _received.Where(r => r.Path == path).Select(static r => r.Body)];
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
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
                using NetworkStream stream = client.GetStream();
                while (await ReadHeadAsync(stream) is { } head)
                {
                    byte[] body = new byte[int.Parse(Header(head, "Content-Length"), CultureInfo.InvariantCulture)];
                    await stream.ReadExactlyAsync(body);
                    bool isRefused = Interlocked.Decrement(ref _refusals) >= 0;
                    if (!isRefused)
                    {
                        lock (_received)
                        {
                            _received.Add((head.Split(' ')[1], JsonDocument.Parse(body).RootElement));
                        }
                    }

                    await stream.WriteAsync(
                        Encoding.ASCII.GetBytes(
                            isRefused
                                ? "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
                                : "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
                        )
                    );
                }
            }
            catch (IOException)
            {
                // The server was killed.
            }
        }
    }

    private static async Task<string?> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one) == 0)
            {
                return null;
            }

            _ = head.Append((char)one[0]);
        }

        return head.ToString();
    }

    private static string Header(string head, string name) =>
        head.Split("\r\n").First(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))[(name.Length + 1)..].Trim();
}
