using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;

namespace Holdfast.SystemTests.Serving;

/// <summary>
/// A supervisor of another version, played by the test in the place of one that it killed while no server was there: it holds the attempt's
/// lock, listens, writes the journal, and says of itself what it is told to.
/// </summary>
internal sealed class PlayedSupervisor : IDisposable
{
    private readonly AttemptFiles _files;
    private readonly FileLock _lock;
    private readonly JournalWriter _journal;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly string _socket;
    private readonly Func<LinkMessage, byte[]> _welcome;
    private readonly List<Socket> _peers = []; // guarded by itself
    private readonly List<LinkMessageType> _asked = []; // guarded by itself

    private PlayedSupervisor(AttemptFiles files, FileLock held, string socket, Func<LinkMessage, byte[]> welcome)
    {
        (_files, _lock, _socket, _welcome) = (files, held, socket, welcome);
        _journal = JournalWriter.Open(files.Journal, new JournalOptions());
        _listener.Bind(new UnixDomainSocketEndPoint(socket));
        _listener.Listen();
        _ = AcceptAsync();
    }

    /// <summary>What was asked of it, in order.</summary>
    public LinkMessageType[] Asked
    {
        get
        {
            lock (_asked)
            {
                return [.. _asked];
            }
        }
    }

    /// <summary>
    /// Takes the place of the supervisor of a running job, whose server is dead; <paramref name="welcome"/> makes the bytes that answer a
    /// hello.
    /// </summary>
    public static async Task<PlayedSupervisor> TakeOverAsync(
        TestServer server,
        string execution,
        string version,
        Func<LinkMessage, byte[]> welcome
    )
    {
        AttemptFiles files = server.AttemptsOf(execution)[^1];
        var before = SupervisorRecord.Read(File.ReadAllBytes(files.Supervisor));
        _ = Libc.Kill(before.Process.Pid, Libc.SigKill); // Before its job, whose end it would record.
        foreach (
            HouseProcess process in HouseProcesses
                .Work(server.Data)
                .FindAll(p => files.Directory.EndsWith(p.Attempt!, StringComparison.Ordinal))
        )
        {
            process.Kill();
        }

        FileLock? held = null;
        await Patience.UntilAsync(() => (held = FileLock.TryAcquire(files.Lock)) is not null, "the lock was free");
        string socket = server.PathOf("played.sock");
        File.WriteAllBytes(
            files.Supervisor,
            (before with { Version = version, Process = ProcessIdentity.Current, Socket = socket }).Write()
        );
        return new PlayedSupervisor(files, held!, socket, welcome);
    }

    /// <summary>A welcome in a protocol, with no capability and nothing that came later.</summary>
    public static byte[] Welcome(LinkMessage hello, int protocol, string version) =>
        Frame(
            new LinkMessage
            {
                Type = LinkMessageType.Welcome,
                Id = hello.Id,
                Protocol = protocol,
                Version = version,
                Mode = AttemptSpec.KindJob,
                State = "running",
                BootId = ProcessIdentity.BootIdNow,
                Pid = Environment.ProcessId,
                StartTicks = ProcessIdentity.Current.StartTicks,
            }
        );

    /// <summary>The job says something: into the journal, and to nobody.</summary>
    public void Print(string text) => _journal.Append(JournalChannel.Stdout, Encoding.UTF8.GetBytes(text), 1);

    /// <summary>The job ends with 0: the durable record first, then the lock goes.</summary>
    public void End()
    {
        var exit = new ExitRecord
        {
            ExitCode = 0,
            Cause = ExitCause.Exited,
            Reason = "It exited with code 0.",
            AtUnixNanoseconds = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1_000_000,
        };
        _journal.Append(JournalChannel.Event, new AttemptEvent { Event = AttemptEvent.ExitEvent, Exit = exit }.Write(), 2);
        _journal.Sync();
        DurableFile.Write(_files.Exit, exit.Write());
        Dispose();
    }

    public void Dispose()
    {
        lock (_peers)
        {
            _peers.ForEach(static p => p.Dispose());
        }

        _listener.Dispose();
        _journal.Dispose();
        _lock.Dispose();
        File.Delete(_socket);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket peer = await _listener.AcceptAsync();
                lock (_peers)
                {
                    _peers.Add(peer);
                }

                _ = ServeAsync(peer);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has ended.
        }
    }

    private async Task ServeAsync(Socket peer)
    {
        byte[] buffer = new byte[64 * 1024];
        int filled = 0;
        try
        {
            while (await peer.ReceiveAsync(buffer.AsMemory(filled)) is > 0 and var read)
            {
                filled += read;
                while (LinkCodec.TryRead(buffer.AsMemory(0, filled), out LinkMessage? request, out int consumed, out _))
                {
                    buffer.AsSpan(consumed, filled - consumed).CopyTo(buffer);
                    filled -= consumed;
                    lock (_asked)
                    {
                        _asked.Add(request!.Type);
                    }

                    await peer.SendAsync(
                        request.Type == LinkMessageType.Hello
                            ? _welcome(request)
                            : Frame(
                                new LinkMessage
                                {
                                    Type = LinkMessageType.Refused,
                                    Id = request.Id,
                                    Code = LinkCodes.UnknownRequest,
                                    Reason = "This version does not know that.",
                                }
                            )
                    );
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The server is gone, or we are.
        }
    }

    private static byte[] Frame(LinkMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        LinkCodec.Write(output, message);
        return output.WrittenSpan.ToArray();
    }
}
