using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Clients;
using Holdfast.Engine.Kernels.Comms;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Server.Jupyter.Channels;
using Holdfast.Tests.Executions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Jupyter.Door.Channels;

/// <summary>
/// Connections of one session, over a clock that stands still: who is not there any more must not be waited for. The kernel has ended, so
/// that all there is to say stands in its journal.
/// </summary>
public sealed class ChannelsConnectionTests : IAsyncDisposable
{
    private const string Session = "the session";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly KernelId Kernel = KernelId.Parse("01a1fed9-a43e-771a-a982-9b86ea319db6");
    private static readonly AttemptId Incarnation = new("01K9ABCDEFGHJKMNPQRSTVWXYZ");
    private readonly TemporaryLedger _house = new();
    private readonly AttemptFolders _folders;
    private readonly ChannelsPlace _place;

    public ChannelsConnectionTests()
    {
        _folders = new AttemptFolders(Path.Combine(_house.Directory, "attempts"), _house.Directory);
        var live = new LiveAttempts();
        var kernels = new LiveKernels(
            _house.Store,
            _house.Ledger,
            null!,
            live,
            _folders,
            new KernelOptions(),
            null!,
            null!,
            _house.Meters,
            _house.Clock,
            NullLogger<LiveKernels>.Instance
        );
        _place = new ChannelsPlace(
            Kernel,
            new KernelClients(kernels, live, _folders, _house.Store, Clients, _house.Clock),
            new SendToKernel(kernels, _house.Store),
            new ListComms(_house.Store, kernels, _folders),
            _house.Meters.Followers,
            1000,
            _house.Clock,
            CancellationToken.None
        );
    }

    private string Clients => Path.Combine(_house.Directory, "clients");

    public async ValueTask DisposeAsync() => await _house.DisposeAsync();

    [Fact]
    public async Task A_client_that_answers_nothing_gives_its_place_up_at_once()
    {
        await BeginAsync("one", "two");
        await using var silent = new Client(_place);
        Assert.Equal(["one", "two"], [await silent.ReadAsync(), await silent.ReadAsync()]);
        await silent.ReadAsync(); // That the kernel is dead.
        Write("three");

        await using var next = new Client(_place);
        Assert.Equal("three", await next.ReadAsync());
        Assert.Equal("close 4001", await silent.ReadAsync());
        Assert.False(silent.IsAborted);
    }

    [Fact]
    public async Task A_client_that_takes_nothing_gives_its_place_up_after_a_courtesy_and_what_it_did_not_take_goes_to_the_next()
    {
        await BeginAsync("one");
        await using var full = new Client(_place, isFull: true);
        await full.Sending;

        await using var next = new Client(_place);
        // Its ping's, and its courtesy's.
        await _house.Clock.TimerSetAsync(2).WaitAsync(Patience, TimeProvider.System, TemporaryLedger.Cancel);
        _house.Clock.Turn(TimeSpan.FromMilliseconds(100));
        Assert.Equal("one", await next.ReadAsync());
        Assert.True(full.IsAborted);
    }

    /// <summary>The session was here before, and has seen nothing yet.</summary>
    private async Task BeginAsync(params string[] texts)
    {
        await _house.Store.WriteAsync(
            transaction => AttemptsTable.Insert(transaction, Incarnation, "here", "nonce", 0, null, Kernel.Value),
            TemporaryLedger.Cancel
        );
        Directory.CreateDirectory(_folders.Of(Incarnation));
        Write(texts);
        string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Session)).AsSpan(0, 16));
        using SessionMark mark = SessionMark.Open(Path.Combine(Clients, Kernel.Value, name + ".mark"));
        mark.Set(new SessionPlace(Incarnation.Value, 0, 0));
    }

    private void Write(params string[] texts)
    {
        using JournalWriter journal = JournalWriter.Open(new AttemptFiles(_folders.Of(Incarnation)).Journal, new JournalOptions());
        foreach (string text in texts)
        {
            journal.Append(
                JournalChannel.IoPub,
                Multipart.Encode(
                    JupyterMessage.Delimiter.ToArray(),
                    Array.Empty<byte>(),
                    "{\"msg_id\":\"a\",\"msg_type\":\"stream\",\"session\":\"kernel\"}"u8.ToArray(),
                    "{}"u8.ToArray(),
                    "{}"u8.ToArray(),
                    Encoding.UTF8.GetBytes($$"""{"text":"{{text}}"}""")
                ),
                1
            );
        }
    }

    /// <summary>A client that says nothing, and reads what it is sent only when it is asked to.</summary>
    private sealed class Client : Stream, IHttpUpgradeFeature, IHttpRequestLifetimeFeature, IAsyncDisposable
    {
        private readonly CancellationTokenSource _aborted = new();
        private readonly Channel<byte[]> _sent = Channel.CreateUnbounded<byte[]>();
        private readonly TaskCompletionSource _sending = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Task _serving;
        private readonly List<byte> _read = [];

        private readonly bool _isFull;

        public Client(ChannelsPlace place, bool isFull = false)
        {
            _isFull = isFull;
            var context = new DefaultHttpContext();
            context.Features.Set<IHttpUpgradeFeature>(this);
            context.Features.Set<IHttpRequestLifetimeFeature>(this);
            context.Request.Headers.SecWebSocketKey = Convert.ToBase64String(new byte[16]);
            _serving = Task.Run(() => ChannelsConnection.RunAsync(context, place, Session, NullLogger.Instance));
        }

        public bool IsAborted => _aborted.IsCancellationRequested;

        public Task Sending => _sending.Task.WaitAsync(Patience, TimeProvider.System, TemporaryLedger.Cancel);

        public bool IsUpgradableRequest => true;

        public CancellationToken RequestAborted
        {
            get => _aborted.Token;
            set => throw new NotSupportedException();
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public void Abort() => _aborted.Cancel();

        public Task<Stream> UpgradeAsync() => Task.FromResult<Stream>(this);

        /// <summary>The text of the next message, "status", or "close" with its code.</summary>
        public async Task<string> ReadAsync()
        {
            await HaveAsync(2);
            int head = _read[1] == 126 ? 4 : 2;
            await HaveAsync(head);
            int length = head == 4 ? (_read[2] << 8) | _read[3] : _read[1];
            await HaveAsync(head + length);
            byte opcode = _read[0];
            byte[] payload = [.. _read.Skip(head).Take(length)];
            _read.RemoveRange(0, head + length);
            return opcode == 0x88 ? $"close {BinaryPrimitives.ReadUInt16BigEndian(payload)}"
                : JsonDocument.Parse(payload).RootElement.GetProperty("content").TryGetProperty("text", out JsonElement text)
                    ? text.GetString()!
                : "status";
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _sending.TrySetResult();
            if (_isFull)
            {
                await new TaskCompletionSource().Task.WaitAsync(_aborted.Token);
            }

            await _sent.Writer.WriteAsync(buffer.ToArray(), cancellationToken);
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _aborted.Token);
            await new TaskCompletionSource().Task.WaitAsync(either.Token);
            return 0;
        }

        public override void Flush() { }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask DisposeAsync()
        {
            await _aborted.CancelAsync();
            await _serving.WaitAsync(TemporaryLedger.Cancel);
            _aborted.Dispose();
            await base.DisposeAsync();
        }

        private async Task HaveAsync(int count)
        {
            while (_read.Count < count)
            {
                _read.AddRange(
                    await _sent
                        .Reader.ReadAsync(TemporaryLedger.Cancel)
                        .AsTask()
                        .WaitAsync(Patience, TimeProvider.System, TemporaryLedger.Cancel)
                );
            }
        }
    }
}
