using System.Net.Sockets;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Clients;
using Holdfast.Engine.Kernels.Comms;
using Holdfast.Engine.Metrics;
using Holdfast.Protocol.Journal;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// One client's connection from its handshake to its end: 1. it joins, and whichever connection has its place gives it up; 2. it is told
/// what it could not know; 3. both loops run, and pings say whether anybody is there; 4. whichever ends first ends the other; 5. the
/// session's mark goes back to what the client's TCP has acknowledged, and its place is free for another connection; 6. then only the
/// socket is left, until the client has hung up.
/// </summary>
internal sealed partial class ChannelsConnection : IDisposable
{
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(30);
    private const int MissedMax = 3;

    /// <summary>For the client to answer our close, and to take a last message before it.</summary>
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(2);

    /// <summary>
    /// For a connection that has to give way to end its message, and say so: whoever is not there any more does not take it, and another
    /// waits for its place.
    /// </summary>
    private static readonly TimeSpan Courtesy = TimeSpan.FromMilliseconds(100);

    private readonly HttpContext _context;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _gone = new();
    private readonly JournalWake _wake = new();
    private volatile ChannelsOutput? _output;
    private volatile bool _isReplaced;
    private volatile bool _hasWritten;
    private long _heardBytes;
    private int _missed;

    private ChannelsConnection(HttpContext context, TimeProvider time) => (_context, _time) = (context, time);

    /// <summary>Serves the client until it is gone. Errors before the handshake: kernel-not-found, kernel-not-running.</summary>
    public static async Task RunAsync(HttpContext context, ChannelsPlace place, string? session, ILogger logger)
    {
        using var connection = new ChannelsConnection(context, place.Time);
        using KernelClient client = await place.Clients.JoinAsync(
            place.Kernel,
            session,
            connection._wake.SignalInline,
            connection.Replace,
            context.RequestAborted
        );
        bool isV1 = Handshake.OffersV1(context);
        (Stream stream, ClientWire wire) = await Handshake.AcceptAsync(context, isV1, place.Time, context.RequestAborted);
        using (wire)
        {
            await connection.ServeAsync(client, stream, wire, isV1 ? new V1Framing() : new LegacyFraming(), place, logger);
        }
    }

    public void Dispose() => _gone.Dispose();

    private void Replace()
    {
        _isReplaced = true;
        _output?.Close(CloseCode.Replaced, "Another connection of this session has come.");
        _ = GiveWayAsync();
    }

    private async Task GiveWayAsync()
    {
        await Task.Delay(Courtesy, _time);
        if (!_hasWritten)
        {
            HangUp();
        }
    }

    private async Task ServeAsync(
        KernelClient client,
        Stream stream,
        ClientWire wire,
        IFraming framing,
        ChannelsPlace place,
        ILogger logger
    )
    {
        using var output = new ChannelsOutput(client, wire, framing, _wake, _time);
        IDisposable following = place.Followers.Enter(
            FollowerTally.Journal,
            () => Math.Max(0, JournalFormat.EndOf(client.Cursor.Journal) - client.Cursor.Pieces.Position)
        );
        _output = output;
        if (_isReplaced)
        {
            Replace();
        }

        using QuestionAgain? again = Welcome(client, output);
        var frames = new WebSocketInput(stream, place.MessageBytesMax);
        var input = new ChannelsInput(client, frames, framing, output, place.Send, ReadComms, again, logger);
        // Which reads the journal the first time.
        ValueTask<IReadOnlyList<OpenComm>> ReadComms() => new(Task.Run(() => place.Comms.Run(place.Kernel)));
        using CancellationTokenRegistration stopping = place.Stopping.UnsafeRegister(_ => Close(output), null);
        await using ITimer pings = _time.CreateTimer(_ => Ping(input, frames, output), null, PingInterval, PingInterval);

        Task writing = RunAsync(output.RunAsync, client, logger);
        Task reading = RunAsync(() => input.RunAsync(_gone.Token), client, logger);
        if (await Task.WhenAny(writing, reading) == reading)
        {
            _ = HangUpLaterAsync(); // A close frame may still be on its way behind a message that nobody reads.
            await writing;
        }

        _hasWritten = true;
        following.Dispose();
        if (await wire.FindAcknowledgedAsync(output.Start, client.Mark.Read()?.SentBytes ?? 0, _time) is { } acknowledged)
        {
            client.Mark.Set(acknowledged with { SentBytes = 0 });
        }

        client.Dispose();
        await FinishAsync(reading, frames);
    }

    /// <summary>6. Until the client has hung up, too: else what it has not read yet, our close above all, would be thrown away.</summary>
    private async Task FinishAsync(Task reading, WebSocketInput frames)
    {
        bool isInOrder = reading.IsCompletedSuccessfully;
        using var patience = new CancellationTokenSource(Goodbye, _time);
        try
        {
            if (!reading.IsCompleted)
            {
                await Task.WhenAny(reading, Task.Delay(Timeout.InfiniteTimeSpan, _time, patience.Token));
                isInOrder = reading.IsCompletedSuccessfully;
                await _gone.CancelAsync();
                await reading;
            }
            else
            {
                await frames.DrainAsync(patience.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            isInOrder = false; // It has hung up, or does not want to.
        }

        if (!isInOrder)
        {
            _context.Abort(); // Which resets the connection, and may take away from the client what it has not read.
        }
    }

    /// <summary>
    /// 2. A client that was not here before cannot know what the kernel is busy with; and a question that waits for an answer is
    /// everybody's. Whoever was sent that before is not shown it twice, if it turns out to know it.
    /// </summary>
    private QuestionAgain? Welcome(KernelClient client, ChannelsOutput output)
    {
        if (client.Live is not { } live || live.Live.Id != client.Cursor.Attempt)
        {
            return null; // It reads an earlier incarnation first, and comes to this one by its journal.
        }

        if (!client.IsReturning && live.IsBusy)
        {
            output.Say(output.Messages.Status("busy", live.IncarnationSession ?? ""));
        }

        if (live.PendingInput is not { } pending || pending.Position >= output.Start.Position)
        {
            return null;
        }

        if (client.IsReturning)
        {
            return new QuestionAgain(pending, () => client.Live?.PendingInput, Offer, _time);
        }

        Offer(pending);
        return null;

        void Offer(PendingInput question) => output.Say(output.Messages.Frame(Protocol.Jupyter.KernelChannel.Stdin, question.Multipart));
    }

    private void Ping(ChannelsInput input, WebSocketInput frames, ChannelsOutput output)
    {
        long heard = frames.ReceivedBytes;
        _missed = heard != _heardBytes || output.IsHeldUp || !input.IsReading ? 0 : _missed + 1;
        _heardBytes = heard;
        if (_missed > MissedMax)
        {
            HangUp();
        }
        else if (!output.IsHeldUp)
        {
            output.Say(WebSocketFrame.Control(Opcode.Ping, []));
        }
    }

    private void Close(ChannelsOutput output)
    {
        output.Close(CloseCode.ServiceRestart, "The server stops; what runs goes on.");
        _ = HangUpLaterAsync();
    }

    private async Task HangUpLaterAsync()
    {
        await Task.Delay(Goodbye, _time);
        HangUp();
    }

    private void HangUp()
    {
        _output?.Stop();
        try
        {
            _context.Abort();
        }
        catch (ObjectDisposedException)
        {
            // It is over.
        }
    }

    /// <summary>A loop whose end is the connection's: whatever ends it, the other one is to end as well.</summary>
    private async Task RunAsync(Func<Task> loop, KernelClient client, ILogger logger)
    {
        try
        {
            await loop();
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            HangUp(); // The client is gone.
        }
        catch (Exception e)
        {
            Log.Failed(logger, client.Kernel.Value, e);
            _output?.Close(CloseCode.InternalError, "The server failed on this connection.");
            _ = HangUpLaterAsync();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Hosting.ServerEventIds.ChannelsFailed, LogLevel.Error, "A connection to kernel {KernelId} failed.")]
        public static partial void Failed(ILogger logger, string kernelId, Exception exception);
    }
}
