using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Supervision;

/// <summary>A request that the supervisor turned down, with its code and sentence.</summary>
public sealed class LinkRefusedException(string code, string reason) : Exception(reason)
{
    public string Code { get; } = code;
}

/// <summary>
/// One live connection to a supervisor, from hello to close. Requests are correlated by id; notices are given to one handler, in order, on
/// the link's own reading thread, which they hold up as long as they take. It knows nothing of jobs or kernels. See
/// docs/spec/supervisor-link.md.
/// </summary>
public sealed class SupervisorLink : IAsyncDisposable
{
    private static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(5);
    private const int BufferBytesInitial = 16 * 1024;
    private const int StackBytes = 512 * 1024; // What is passed on from here ends in a client's socket, or in a look into the store.

    private readonly Socket _socket;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly ArrayBufferWriter<byte> _output = new(1024); // guarded by _writing
    private readonly ConcurrentDictionary<long, TaskCompletionSource<LinkMessage>> _pending = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Action<LinkMessage> _onNotice = static _ => { };
    private string? _nonsense; // Why what it said could not be read; written by the reading loop before it ends.
    private long _lastId;

    private SupervisorLink(Socket socket) => _socket = socket;

    /// <summary>Completes when the connection is gone, whoever ended it; every pending request has failed by then.</summary>
    public Task Closed => _closed.Task;

    /// <summary>What the supervisor said of itself at hello.</summary>
    public LinkMessage Welcome { get; private set; } = null!;

    /// <summary>The supervisor's process.</summary>
    public int Pid => Welcome.Pid;

    public static async Task<SupervisorLink> ConnectAsync(
        string socketPath,
        string nonce,
        Action<LinkMessage> onNotice,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return await OverAsync(socket, nonce, onNotice, time, cancellationToken);
    }

    /// <summary>Says hello over a connected socket, which this link then owns. Notices start to arrive before this returns.</summary>
    public static async Task<SupervisorLink> OverAsync(
        Socket socket,
        string nonce,
        Action<LinkMessage> onNotice,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var link = new SupervisorLink(socket) { _onNotice = onNotice };
        new Thread(link.Read, StackBytes) { IsBackground = true, Name = "link" }.Start();
        try
        {
            link.Welcome = await link.RequestAsync(
                    new LinkMessage
                    {
                        Type = LinkMessageType.Hello,
                        Protocol = LinkCodec.ProtocolVersion,
                        Version = ProductVersion.Current,
                        Nonce = nonce,
                    },
                    cancellationToken
                )
                .WaitAsync(HelloTimeout, time, cancellationToken);

            // One that is older answers in its own protocol, which ours includes. One that answers in a later one than it was offered
            // cannot be understood.
            return link.Welcome.Protocol <= LinkCodec.ProtocolVersion
                ? link
                : throw new LinkRefusedException(
                    LinkCodes.ProtocolUnsupported,
                    $"It is of version {link.Welcome.Version} and speaks protocol {link.Welcome.Protocol}; this server speaks {LinkCodec.ProtocolVersion} at most. The version that started it can be started again."
                );
        }
        catch
        {
            await link.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Sends a request and awaits its answer. <see cref="LinkRefusedException"/> when the supervisor refuses, <see cref="IOException"/>
    /// when the link closes first. Giving up by the token does not take the request back.
    /// </summary>
    /// <param name="goesOnInline">What follows the answer is short and waits for nothing: it may run on the reading thread.</param>
    public async Task<LinkMessage> RequestAsync(LinkMessage request, CancellationToken cancellationToken, bool goesOnInline = false)
    {
        Task<LinkMessage> answer = await BeginAsync(request, goesOnInline, cancellationToken);
        return Accepted(await answer.WaitAsync(cancellationToken));
    }

    /// <summary>
    /// Sends requests one after the other, each made when the one before is sent, and awaits their answers only then: a hundred cost hardly
    /// more wake-ups than one. Errors as above; what was sent stays sent.
    /// </summary>
    public async Task RequestAllAsync(IEnumerable<LinkMessage> requests, CancellationToken cancellationToken)
    {
        var answers = new List<Task<LinkMessage>>();
        foreach (LinkMessage request in requests)
        {
            answers.Add(await BeginAsync(request, goesOnInline: false, cancellationToken));
        }

        foreach (Task<LinkMessage> answer in answers)
        {
            Accepted(await answer.WaitAsync(cancellationToken));
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both); // Which ends the reading thread, and it closes the socket.
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed.
        }

        await _closed.Task;
        _writing.Dispose();
    }

    private static LinkMessage Accepted(LinkMessage answer) =>
        answer.Type == LinkMessageType.Refused
            ? throw new LinkRefusedException(answer.Code ?? "refused", answer.Reason ?? "The supervisor refused.")
            : answer;

    /// <summary>Done when the request is sent; what it gives, when it is answered.</summary>
    private async Task<Task<LinkMessage>> BeginAsync(LinkMessage request, bool goesOnInline, CancellationToken cancellationToken)
    {
        long id = Interlocked.Increment(ref _lastId);
        var pending = new TaskCompletionSource<LinkMessage>(
            goesOnInline ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously
        );
        _pending[id] = pending;
        if (_closed.Task.IsCompleted)
        {
            // The reading loop fails what it finds pending when it ends; this one may have come after.
            _pending.TryRemove(id, out _);
            throw new IOException("The link to the supervisor is closed.");
        }

        await SendAsync(request, id, cancellationToken);
        return pending.Task;
    }

    private async Task SendAsync(LinkMessage request, long id, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            _output.ResetWrittenCount();
            LinkCodec.Write(_output, request with { Id = id });
            ReadOnlyMemory<byte> left = _output.WrittenMemory;
            while (!left.IsEmpty)
            {
                // Not cancellable: half a frame would make the rest of the connection unreadable.
                left = left[await _socket.SendAsync(left, SocketFlags.None, CancellationToken.None)..];
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException("The link to the supervisor is closed.", e);
        }
        finally
        {
            _writing.Release();
        }
    }

    private void Read()
    {
        byte[] buffer = new byte[BufferBytesInitial];
        int filled = 0;
        try
        {
            while (true)
            {
                int read = LinkSocket.Receive(_socket, buffer.AsSpan(filled));
                if (read == 0)
                {
                    break;
                }

                filled += read;
                int taken = 0;
                int needed = 0;
                while (LinkCodec.TryRead(buffer.AsMemory(taken, filled - taken), out LinkMessage? message, out int consumed, out needed))
                {
                    Take(message!);
                    taken += consumed;
                }

                buffer.AsSpan(taken, filled - taken).CopyTo(buffer);
                filled -= taken;
                if (needed > buffer.Length)
                {
                    Array.Resize(ref buffer, needed);
                }
            }
        }
        catch (LinkFormatException e)
        {
            // It does not speak our language: this connection is over, and only it.
            _nonsense = e.Message;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer is gone, or we closed it.
        }
        finally
        {
            _socket.Dispose();
            _closed.TrySetResult();
            foreach (long id in _pending.Keys)
            {
                if (_pending.TryRemove(id, out TaskCompletionSource<LinkMessage>? pending))
                {
                    pending.TrySetException(
                        new IOException(
                            _nonsense is null
                                ? "The link to the supervisor closed before it answered."
                                : $"What the supervisor answered cannot be read. {_nonsense}"
                        )
                    );
                }
            }
        }
    }

    private void Take(LinkMessage message)
    {
        if (message.Type is LinkMessageType.Done or LinkMessageType.Refused or LinkMessageType.Welcome)
        {
            if (_pending.TryRemove(message.Id, out TaskCompletionSource<LinkMessage>? pending))
            {
                // The body is a slice of the reading buffer; answers have none, and are kept.
                pending.TrySetResult(message);
            }

            return;
        }

        _onNotice(message);
    }
}
