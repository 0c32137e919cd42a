using System.Buffers;
using System.Net.Sockets;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Supervision;

/// <summary>
/// A new server takes up the work of the version before it. Until there is a released binary to keep, its supervisor is played here.
/// </summary>
public sealed class OlderSupervisorTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hf-old-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <summary>
    /// Goal: protocol N speaks with N-1. Method: a supervisor that is one protocol behind, has no capability, leaves out every field that
    /// came since, and refuses every request but hello and stop.
    /// </summary>
    [Fact]
    public async Task A_supervisor_one_protocol_behind_is_attached_again_and_can_be_asked_to_stop()
    {
        var attempt = new Attempt(
            new AttemptId("01kcq8v6t0e9m3n5p7r9s1v3x8"),
            1,
            "the nonce",
            ProcessIdentity.BootIdNow,
            new ExecutionId("01kcq8v6t0e9m3n5p7r9s1v3x5"),
            null
        );
        var files = new AttemptFiles(Path.Combine(_root, attempt.Id.Value));
        Directory.CreateDirectory(files.Directory);
        using FileLock held = FileLock.TryAcquire(files.Lock)!;
        string address = Path.Combine(_root, "s");
        await File.WriteAllBytesAsync(
            files.Supervisor,
            new SupervisorRecord
            {
                Protocol = 1,
                Version = "0.0.9",
                Process = ProcessIdentity.Current,
                Nonce = attempt.Nonce,
                Socket = address,
                Mode = AttemptSpec.KindJob,
            }.Write(),
            TestContext.Current.CancellationToken
        );
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(address));
        listener.Listen();
        Task<List<LinkMessageType>> older = PlayAsync(listener);
        var live = new LiveAttempt(attempt, files.Directory);
        var rescuer = new AttemptRescuer(TimeProvider.System, NullLogger<AttemptRescuer>.Instance);

        await using (SupervisorLink? link = await rescuer.ReattachAsync(live, static _ => { }, TestContext.Current.CancellationToken))
        {
            Assert.NotNull(link);
            Assert.Equal((LinkCodec.ProtocolVersion - 1, "0.0.9"), (link.Welcome.Protocol, link.Welcome.Version));
            Assert.Equal(SupervisorHealth.Fresh, live.Health);
            live.Attach(link);

            // What it does not know costs the follower nothing but the notices: the journal is read all the same.
            await live.WatchQuietlyAsync();
            await link.RequestAsync(
                new LinkMessage
                {
                    Type = LinkMessageType.Stop,
                    Attempt = attempt.Id.Value,
                    Cause = ExitCause.Cancelled,
                    GraceMs = 1,
                },
                TestContext.Current.CancellationToken
            );
        }

        Assert.Equal([LinkMessageType.Hello, LinkMessageType.Watch, LinkMessageType.Stop], await older);
    }

    private static async Task<List<LinkMessageType>> PlayAsync(Socket listener)
    {
        using Socket socket = await listener.AcceptAsync();
        var asked = new List<LinkMessageType>();
        var buffer = new byte[64 * 1024];
        int filled = 0;
        while (true)
        {
            int read = await socket.ReceiveAsync(buffer.AsMemory(filled));
            if (read == 0)
            {
                return asked;
            }

            filled += read;
            while (LinkCodec.TryRead(buffer.AsMemory(0, filled), out LinkMessage? request, out int consumed, out _))
            {
                buffer.AsSpan(consumed, filled - consumed).CopyTo(buffer);
                filled -= consumed;
                asked.Add(request!.Type);
                var output = new ArrayBufferWriter<byte>();
                LinkCodec.Write(output, Answer(request));
                await socket.SendAsync(output.WrittenMemory);
            }
        }
    }

    private static LinkMessage Answer(LinkMessage request) =>
        request.Type switch
        {
            LinkMessageType.Hello => new LinkMessage
            {
                Type = LinkMessageType.Welcome,
                Id = request.Id,
                Protocol = LinkCodec.ProtocolVersion - 1,
                Version = "0.0.9",
                Mode = "job",
                State = "running",
                BootId = ProcessIdentity.BootIdNow,
                Pid = Environment.ProcessId,
                StartTicks = ProcessIdentity.Current.StartTicks,
            },
            LinkMessageType.Stop => new LinkMessage { Type = LinkMessageType.Done, Id = request.Id },
            _ => new LinkMessage
            {
                Type = LinkMessageType.Refused,
                Id = request.Id,
                Code = LinkCodes.NotSupported,
                Reason = "This version does not know that.",
            },
        };
}
