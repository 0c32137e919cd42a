using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jupyter;

/// <summary>One message as a client gets it.</summary>
internal sealed record SocketMessage(string Channel, string Type, string Session, string ParentId, JsonElement Content, long Bytes)
{
    public string? State => Type == "status" ? Content.GetProperty("execution_state").GetString() : null;
    public string Text => Type == "stream" ? Content.GetProperty("text").GetString()! : "";
}

/// <summary>
/// A client of a kernel's channels in the v1 framing, written from its page and not from ours. It reads only when it is asked to.
/// </summary>
internal sealed class KernelSocket : IDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly string _session;
    private byte[] _buffer = new byte[64 * 1024];

    private KernelSocket(string session)
    {
        _session = session;
        _socket.Options.AddSubProtocol("v1.kernel.websocket.jupyter.org");
    }

    /// <summary>Whether its messages' headers say the session.</summary>
    public bool SaysSession { get; init; } = true;

    public WebSocketCloseStatus? CloseStatus => _socket.CloseStatus;

    public static async Task<KernelSocket> OpenAsync(
        TestServer server,
        string kernel,
        string session,
        bool isNameless = false,
        bool saysSession = true
    )
    {
        var socket = new KernelSocket(session) { SaysSession = saysSession };
        try
        {
            socket._socket.Options.SetRequestHeader(
                "Authorization",
                "token " + (await File.ReadAllTextAsync(Path.Combine(server.Data, "token"))).Trim()
            );
            using var limit = new CancellationTokenSource(Patience.Limit, TimeProvider.System);
            await socket._socket.ConnectAsync(
                new Uri(
                    $"{server.Rest.Url.Replace("http", "ws", StringComparison.Ordinal)}/api/kernels/{kernel}/channels{(isNameless ? "" : "?session_id=" + Uri.EscapeDataString(session))}"
                ),
                limit.Token
            );
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public static async Task<string> StartKernelAsync(TestServer server) =>
        (await server.Rest.PostAsync("/api/kernels", "{\"name\":\"python3\"}")).Must(201).Json.GetProperty("id").GetString()!;

    /// <summary>Sends code to be run; the message's id, which whoever reads at the same time is told before it is sent.</summary>
    /// <param name="cell">The notebook's cell that the client says it is of.</param>
    public Task<string> ExecuteAsync(string code, string? cell = null, Action<string>? onId = null) =>
        SendAsync(
            "shell",
            "execute_request",
            new JsonObject
            {
                ["code"] = code,
                ["silent"] = false,
                ["store_history"] = true,
                ["user_expressions"] = new JsonObject(),
                ["allow_stdin"] = true,
                ["stop_on_error"] = true,
            },
            cell is null ? [] : new JsonObject { ["cellId"] = cell },
            onId
        );

    public async Task<string> SendAsync(
        string channel,
        string type,
        JsonObject content,
        JsonObject? metadata = null,
        Action<string>? onId = null
    )
    {
        string id = Guid.NewGuid().ToString("N");
        onId?.Invoke(id);
        var header = new JsonObject
        {
            ["msg_id"] = id,
            ["msg_type"] = type,
            ["username"] = "u",
            ["version"] = "5.3",
            ["date"] = "2026-01-01T00:00:00Z",
        };
        if (SaysSession)
        {
            header["session"] = _session;
        }

        byte[][] parts =
        [
            Encoding.UTF8.GetBytes(channel),
            Encoding.UTF8.GetBytes(header.ToJsonString()),
            "{}"u8.ToArray(),
            Encoding.UTF8.GetBytes((metadata ?? []).ToJsonString()),
            Encoding.UTF8.GetBytes(content.ToJsonString()),
        ];
        using var frame = new MemoryStream();
        byte[] word = new byte[8];
        void Write(long value)
        {
            BinaryPrimitives.WriteInt64LittleEndian(word, value);
            frame.Write(word);
        }

        long at = 8 * (parts.Length + 2);
        Write(parts.Length + 1);
        Write(at);
        foreach (byte[] part in parts)
        {
            Write(at += part.Length);
        }

        foreach (byte[] part in parts)
        {
            frame.Write(part);
        }

        await _socket.SendAsync(frame.ToArray(), WebSocketMessageType.Binary, true, CancellationToken.None);
        return id;
    }

    /// <summary>The next message; null when the connection has ended, in order or not.</summary>
    public async Task<SocketMessage?> ReadAsync()
    {
        using var limit = new CancellationTokenSource(Patience.Limit, TimeProvider.System);
        int filled = 0;
        try
        {
            while (true)
            {
                if (filled == _buffer.Length)
                {
                    Array.Resize(ref _buffer, 2 * _buffer.Length);
                }

                ValueWebSocketReceiveResult read = await _socket.ReceiveAsync(_buffer.AsMemory(filled), limit.Token);
                if (read.MessageType == WebSocketMessageType.Close)
                {
                    return null;
                }

                filled += read.Count;
                if (read.EndOfMessage)
                {
                    return Parse(_buffer.AsSpan(0, filled));
                }
            }
        }
        catch (WebSocketException)
        {
            return null;
        }
    }

    /// <summary>Reads until the message wanted; fails when the connection ends before.</summary>
    public async Task<SocketMessage> ReadUntilAsync(Func<SocketMessage, bool> isWanted)
    {
        while (await ReadAsync() is { } message)
        {
            if (isWanted(message))
            {
                return message;
            }
        }

        throw new InvalidOperationException($"The connection ended with {CloseStatus} before the message came.");
    }

    /// <summary>
    /// What streams say, or those of one request, until it ends so. A kernel flushes by its own clock, and so in the middle of a line, too.
    /// </summary>
    public async Task<string> ReadTextAsync(string end, string? parent = null)
    {
        var text = new StringBuilder();
        await ReadUntilAsync(message =>
            (parent is null || message.ParentId == parent)
            && text.Append(message.Text).Length >= end.Length
            && text.ToString(text.Length - end.Length, end.Length) == end
        );
        return text.ToString();
    }

    /// <summary>What a cell has yet to say, to its end; its reply may come before its output.</summary>
    public async Task<string> ReadCellAsync(string id)
    {
        var text = new StringBuilder();
        bool isIdle = false,
            hasReply = false;
        while (!isIdle || !hasReply)
        {
            SocketMessage message = await ReadUntilAsync(message => message.ParentId == id);
            text.Append(message.Text);
            isIdle |= message.State == "idle";
            hasReply |= message.Type == "execute_reply";
        }

        return text.ToString();
    }

    /// <summary>Answers the server's close, as every browser does by itself.</summary>
    public Task AnswerCloseAsync() => _socket.CloseOutputAsync(_socket.CloseStatus!.Value, null, CancellationToken.None);

    public void Dispose() => _socket.Dispose();

    private static SocketMessage Parse(ReadOnlySpan<byte> frame)
    {
        int count = (int)BinaryPrimitives.ReadInt64LittleEndian(frame);
        var ends = new int[count];
        for (int i = 0; i < count; i++)
        {
            ends[i] = (int)BinaryPrimitives.ReadInt64LittleEndian(frame[(8 * (i + 1))..]);
        }

        if (ends[^1] != frame.Length)
        {
            throw new InvalidDataException("The last offset is not the frame's end.");
        }

        JsonElement header = Json(frame[ends[1]..ends[2]]);
        JsonElement parent = Json(frame[ends[2]..ends[3]]);
        return new SocketMessage(
            Encoding.UTF8.GetString(frame[ends[0]..ends[1]]),
            header.GetProperty("msg_type").GetString()!,
            header.GetProperty("session").GetString()!,
            parent.TryGetProperty("msg_id", out JsonElement id) ? id.GetString()! : "",
            Json(frame[ends[4]..ends[5]]),
            frame.Length
        );
    }

    private static JsonElement Json(ReadOnlySpan<byte> json)
    {
        using var document = JsonDocument.Parse(json.ToArray());
        return document.RootElement.Clone();
    }
}
