using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Terminals;

namespace Holdfast.Server.Jupyter.Terminals;

/// <summary>
/// One client of a terminal. 1. `setup`. 2. What the screen may still show, out of the journal, behind a reset of the client's own screen:
/// one that comes back after the server was away shows everything once. 3. What comes, out of the journal too: a client is a cursor over
/// it, so a slow one costs one message's buffer and nobody else anything.
/// 4. `disconnect` when the shell has ended. Meanwhile what is typed goes to the terminal, in order.
/// </summary>
internal sealed class TerminalSocket : IDisposable
{
    /// <summary>One message of a client: a paste of some megabytes, written with escapes.</summary>
    private const int MessageBytesMax = 8 * 1024 * 1024;

    private const int ReceiveBytes = 16 * 1024;

    /// <summary>Bytes of output in one message, unless one record has more.</summary>
    private const int OutputBytes = 32 * 1024;

    /// <summary>What a supervisor takes at once; more goes in several pieces.</summary>
    private const int InputBytes = 64 * 1024;

    /// <summary>RFC 6455's register: the server restarts; a client may come back.</summary>
    private const WebSocketCloseStatus ServiceRestart = (WebSocketCloseStatus)1012;

    /// <summary>RIS: a terminal forgets its screen and its modes.</summary>
    private const string Reset = "\ec";

    private static readonly TimeSpan FullPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);

    private readonly WebSocket _socket;
    private readonly HoldfastEngine _engine;
    private readonly ExecutionId _terminal;
    private readonly TerminalSizes _sizes;
    private readonly ArrayBufferWriter<byte> _message = new(1024); // The sending side's.
    private readonly ArrayBufferWriter<char> _text = new(1024); // The sending side's.
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder(); // Keeps the start of a character whose end is in the next record.
    private readonly Utf8JsonWriter _json;
    private bool _isStarted; // The receiving side's.

    private TerminalSocket(WebSocket socket, HoldfastEngine engine, Terminal terminal, TerminalSizes sizes)
    {
        (_socket, _engine, _terminal, _sizes) = (socket, engine, terminal.ExecutionId, sizes);
        _json = new Utf8JsonWriter(_message, JupyterText.Options);
    }

    public static async Task AcceptAsync(
        HttpContext context,
        HoldfastEngine engine,
        Terminal terminal,
        TerminalSizes sizes,
        CancellationToken serverStopping
    )
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, "This address speaks WebSocket only.");
        }

        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        using var client = new TerminalSocket(socket, engine, terminal, sizes);
        await client.RunAsync(serverStopping);
    }

    public void Dispose() => _json.Dispose();

    private async Task RunAsync(CancellationToken serverStopping)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(serverStopping);
        Task<WebSocketCloseStatus?> receiving = GuardAsync(ReceiveAsync(leaving.Token));
        Task<WebSocketCloseStatus?> sending = GuardAsync(SendAsync(leaving.Token));
        try
        {
            Task<WebSocketCloseStatus?> first = await Task.WhenAny(receiving, sending);
            await leaving.CancelAsync();
            WebSocketCloseStatus? status = serverStopping.IsCancellationRequested ? ServiceRestart : await first;

            // The other one: sending ends between two messages, unless the client does not read; receiving when the client answers our
            // close.
            await QuietlyAsync(sending);
            if (status is { } close && sending.IsCompleted && _socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await QuietlyAsync(
                    receiving.IsCompleted && _socket.State == WebSocketState.Open
                        ? _socket.CloseAsync(close, null, CancellationToken.None)
                        : CloseAsync(close, receiving)
                );
            }
        }
        finally
        {
            _socket.Abort();
            await receiving;
            await sending;
            await _sizes.RemoveAsync(_engine, _terminal, this);
        }
    }

    /// <summary>Says it and lets the side that receives hear the answer.</summary>
    private async Task CloseAsync(WebSocketCloseStatus status, Task receiving)
    {
        await _socket.CloseOutputAsync(status, null, CancellationToken.None);
        await receiving;
    }

    /// <summary>The status to close with; null when there is nobody left to tell.</summary>
    private static async Task<WebSocketCloseStatus?> GuardAsync(Task<WebSocketCloseStatus?> side)
    {
        try
        {
            return await side;
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException or IOException)
        {
            return null; // The connection is gone; the terminal goes on.
        }
        catch (RefusedException e)
        {
            // It cannot be reached now: to come back is the remedy.
            return e.Code == ErrorCodes.ExecutionNotFound ? WebSocketCloseStatus.NormalClosure : ServiceRestart;
        }
    }

    private static async Task QuietlyAsync(Task task)
    {
        try
        {
            await task.WaitAsync(ClosePatience, TimeProvider.System);
        }
        catch (Exception e) when (e is TimeoutException or WebSocketException or ObjectDisposedException or IOException)
        {
            // It is aborted next.
        }
    }

    // To the client.

    private async Task<WebSocketCloseStatus?> SendAsync(CancellationToken leaving)
    {
        await SendAsync(TerminalMessage.WriteSetup);
        (OutputReading reading, bool isCut) = await OpenAsync(
            () => _engine.ReadTerminal.Open(_terminal),
            static opened => opened.Reading,
            leaving
        );
        long offset;
        using (reading)
        {
            await ReplayAsync(reading, isCut);
            offset = await FollowAsync(reading, leaving);
        }

        while (!leaving.IsCancellationRequested)
        {
            Execution execution = await _engine.WaitForExecution.RunAsync(_terminal, EndPatience, leaving);
            if (execution.State.IsTerminal())
            {
                await SendAsync(TerminalMessage.WriteDisconnect);
                return WebSocketCloseStatus.NormalClosure;
            }

            // An attempt that never started has made room for another, which has a journal of its own.
            using OutputReading next = await OpenAsync(
                () => _engine.ReadTerminal.Resume(_terminal, offset),
                static opened => opened,
                leaving
            );
            offset = await FollowAsync(next, leaving);
        }

        return null;
    }

    /// <summary>Waits until there is something to read in.</summary>
    private async Task<T> OpenAsync<T>(Func<T> open, Func<T, OutputReading> reading, CancellationToken leaving)
    {
        while (true)
        {
            Task growth = _engine.Feed.Growth;
            T opened = open();
            if (!reading(opened).IsPending)
            {
                return opened;
            }

            reading(opened).Dispose();
            await growth.WaitAsync(leaving);
        }
    }

    private async Task ReplayAsync(OutputReading reading, bool isCut)
    {
        if (!reading.TryRead(out ReadOnlyMemory<byte> first))
        {
            return; // A fresh terminal, and a client that sees it from its first byte.
        }

        Write(Reset);
        Decode(isCut ? first[ReadTerminal.Ragged(first.Span)..] : first);
        await SendTextAsync();
    }

    /// <summary>Sends what there is and what comes, until the journal ends; the offset reached.</summary>
    private async Task<long> FollowAsync(OutputReading reading, CancellationToken leaving)
    {
        using IDisposable following = _engine.Meters.Followers.Enter(FollowerTally.Journal, () => reading.Lag);
        while (true)
        {
            Task growth = reading.Growth;
            bool isLast = reading.IsEnded; // Before reading: what was written before the end is then read below.
            while (!leaving.IsCancellationRequested && TryGather(reading))
            {
                await SendTextAsync();
            }

            if (isLast || leaving.IsCancellationRequested)
            {
                return reading.Offset;
            }

            await growth.WaitAsync(leaving);
        }
    }

    /// <summary>Records of a busy terminal are many and small: as many as make a message.</summary>
    private bool TryGather(OutputReading reading)
    {
        int gathered = 0;
        while (gathered < OutputBytes && reading.TryRead(out ReadOnlyMemory<byte> bytes))
        {
            Decode(bytes);
            gathered += bytes.Length;
        }

        return gathered > 0;
    }

    private void Write(string text) => _text.Write(text);

    private void Decode(ReadOnlyMemory<byte> bytes)
    {
        Span<char> room = _text.GetSpan(Encoding.UTF8.GetMaxCharCount(bytes.Length));
        _text.Advance(_decoder.GetChars(bytes.Span, room, flush: false));
    }

    private async Task SendTextAsync()
    {
        if (_text.WrittenCount > 0)
        {
            await SendAsync(writer => TerminalMessage.WriteStandardOutput(writer, _text.WrittenSpan));
            _text.ResetWrittenCount();
        }
    }

    private async Task SendAsync(Action<Utf8JsonWriter> write)
    {
        _message.ResetWrittenCount();
        _json.Reset();
        write(_json);
        await _json.FlushAsync(CancellationToken.None);

        // Not cancellable: half a message would be the last of this connection.
        await _socket.SendAsync(_message.WrittenMemory, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
    }

    // From the client.

    private async Task<WebSocketCloseStatus?> ReceiveAsync(CancellationToken leaving)
    {
        var incoming = new ArrayBufferWriter<byte>(ReceiveBytes);
        while (true)
        {
            ValueWebSocketReceiveResult received = await _socket.ReceiveAsync(incoming.GetMemory(ReceiveBytes), CancellationToken.None);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                return WebSocketCloseStatus.NormalClosure;
            }

            incoming.Advance(received.Count);
            if (incoming.WrittenCount > MessageBytesMax)
            {
                return WebSocketCloseStatus.MessageTooBig;
            }

            if (!received.EndOfMessage)
            {
                continue;
            }

            if (!TerminalMessage.TryRead(incoming.WrittenSpan, out TerminalMessage message))
            {
                return WebSocketCloseStatus.InvalidPayloadData;
            }

            incoming = Emptied(incoming);
            await UntilStartedAsync(leaving);
            await TakeAsync(message, leaving);
        }
    }

    /// <summary>
    /// Before its shell runs there is nothing to type into, and an attempt that is given up would take what was typed with it.
    /// </summary>
    private async Task UntilStartedAsync(CancellationToken leaving)
    {
        while (!_isStarted)
        {
            Task growth = _engine.Feed.Growth;
            Execution execution = await _engine.WaitForExecution.RunAsync(_terminal, TimeSpan.Zero, leaving);
            _isStarted = execution.State is not (ExecutionState.Queued or ExecutionState.Starting);
            if (!_isStarted)
            {
                await growth.WaitAsync(leaving);
            }
        }
    }

    /// <summary>A large paste is no reason to keep its room for as long as the window is open.</summary>
    private static ArrayBufferWriter<byte> Emptied(ArrayBufferWriter<byte> incoming)
    {
        incoming.ResetWrittenCount();
        return incoming.Capacity > 4 * ReceiveBytes ? new ArrayBufferWriter<byte>(ReceiveBytes) : incoming;
    }

    private async Task TakeAsync(TerminalMessage message, CancellationToken leaving)
    {
        switch (message.Kind)
        {
            case TerminalMessageKind.StandardInput:
                ReadOnlyMemory<byte> bytes = Encoding.UTF8.GetBytes(message.Text);
                for (; !bytes.IsEmpty; bytes = bytes[Math.Min(bytes.Length, InputBytes)..])
                {
                    await TypeAsync(bytes[..Math.Min(bytes.Length, InputBytes)], leaving);
                }

                break;
            case TerminalMessageKind.Size when message.Rows > 0 && message.Columns > 0:
                await _sizes.SetAsync(_engine, _terminal, this, message.Rows, message.Columns, leaving);
                break;
        }
    }

    private async Task TypeAsync(ReadOnlyMemory<byte> bytes, CancellationToken leaving)
    {
        while (true)
        {
            try
            {
                await _engine.WriteStandardInput.RunAsync(_terminal, bytes, end: false, leaving);
                return;
            }
            catch (RefusedException e) when (e.Code == ErrorCodes.StandardInputFull)
            {
                // The program does not read. Neither do we, then: the connection fills, and the sender waits.
                await Task.Delay(FullPause, TimeProvider.System, leaving);
            }
            catch (RefusedException e) when (e.Code is ErrorCodes.IllegalTransition or ErrorCodes.StandardInputClosed)
            {
                return; // It has just ended, which the other side is about to say.
            }
        }
    }
}
