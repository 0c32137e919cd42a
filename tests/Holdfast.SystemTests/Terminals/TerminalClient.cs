using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Terminals;

/// <summary>A client of one terminal, as JupyterLab is: keeps all that it is shown, and says what it is told to.</summary>
internal sealed class TerminalClient : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly StringBuilder _screen = new(); // guarded by itself
    private Task _reading = Task.CompletedTask;

    public bool IsSetUp { get; private set; }
    public bool IsDisconnected { get; private set; }
    public int? CloseStatus { get; private set; }

    public string Screen
    {
        get
        {
            lock (_screen)
            {
                return _screen.ToString();
            }
        }
    }

    public static async Task<TerminalClient> ConnectAsync(TestServer server, string name, bool reads = true)
    {
        var client = new TerminalClient();
        string token = await File.ReadAllTextAsync(Path.Combine(server.Data, "token"));
        var address = new UriBuilder(server.Rest.Url)
        {
            Scheme = "ws",
            Path = $"/terminals/websocket/{name}",
            Query = "token=" + token.Trim(),
        };
        await client._socket.ConnectAsync(address.Uri, CancellationToken.None).WaitAsync(Patience.Limit);
        if (reads)
        {
            client.BeginReading();
        }

        return client;
    }

    public void BeginReading() => _reading = ReadAsync();

    public Task TypeAsync(string text) => SendAsync(new JsonArray("stdin", text).ToJsonString());

    public Task ResizeAsync(int rows, int columns) =>
        SendAsync(new JsonArray("set_size", rows, columns, rows * 17, columns * 8).ToJsonString());

    public async Task SendAsync(string text) =>
        await _socket
            .SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None)
            .WaitAsync(Patience.Limit);

    /// <summary>To be told from what was typed, which stands behind the prompt, by quotes in the midst of the latter.</summary>
    public async Task UntilShownAsync(string text)
    {
        try
        {
            await Patience.UntilAsync(() => Screen.Contains(text, StringComparison.Ordinal), "it was shown");
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"Waited in vain for '{text}'. The terminal shows:\n{Screen}", e);
        }
    }

    public Task UntilClosedAsync() => _reading.WaitAsync(Patience.Limit);

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading;
        _socket.Dispose();
    }

    private async Task ReadAsync()
    {
        using var message = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                WebSocketReceiveResult received = await _socket.ReceiveAsync(buffer, CancellationToken.None);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    CloseStatus = (int?)received.CloseStatus;
                    await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                    return;
                }

                await message.WriteAsync(buffer.AsMemory(0, received.Count));
                if (received.EndOfMessage)
                {
                    Take(message.ToArray());
                    message.SetLength(0);
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The server is gone, or we are.
        }
    }

    private void Take(byte[] json)
    {
        using var message = JsonDocument.Parse(json);
        JsonElement root = message.RootElement;
        switch (root[0].GetString())
        {
            case "setup":
                IsSetUp = Screen.Length == 0 && root[1].ValueKind == JsonValueKind.Object;
                break;
            case "stdout" when !IsSetUp:
                throw new InvalidOperationException("It was shown something before it was set up.");
            case "stdout":
                lock (_screen)
                {
                    _screen.Append(root[1].GetString());
                }

                break;
            case "disconnect":
                IsDisconnected = root[1].GetInt32() == 1;
                break;
            case { } other:
                throw new InvalidOperationException($"The server said {other}.");
        }
    }
}
