using System.Collections.Concurrent;
using System.Net.Sockets;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Link;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Supervision;

public sealed class SupervisorLinkTests
{
    private static readonly LinkMessage Ping = new() { Type = LinkMessageType.Ping };

    private readonly ConcurrentQueue<LinkMessage> _notices = new();
    private readonly FakeClock _clock = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hello_carries_the_nonce_and_the_welcome_is_kept()
    {
        (Socket ours, LinkPeer peer) = await LinkPeer.PairAsync();
        using LinkPeer held = peer;
        Task<SupervisorLink> opening = SupervisorLink.OverAsync(ours, "secret", _notices.Enqueue, _clock, Cancel);
        LinkMessage hello = await peer.ReadAsync();
        await peer.SendAsync(
            new LinkMessage
            {
                Type = LinkMessageType.Welcome,
                Id = hello.Id,
                Pid = 42,
            }
        );

        await using SupervisorLink link = await opening;
        Assert.Equal((LinkMessageType.Hello, "secret", LinkCodec.ProtocolVersion), (hello.Type, hello.Nonce, hello.Protocol));
        Assert.Equal(42, link.Pid);
    }

    [Fact]
    public async Task A_refused_hello_is_told_with_its_code_and_closes_the_connection()
    {
        (Socket ours, LinkPeer peer) = await LinkPeer.PairAsync();
        using LinkPeer held = peer;
        Task<SupervisorLink> opening = SupervisorLink.OverAsync(ours, "wrong", _notices.Enqueue, _clock, Cancel);
        await peer.SendAsync(
            new LinkMessage
            {
                Type = LinkMessageType.Refused,
                Id = (await peer.ReadAsync()).Id,
                Code = LinkCodes.NonceMismatch,
                Reason = "No.",
            }
        );

        LinkRefusedException refused = await Assert.ThrowsAsync<LinkRefusedException>(() => opening);
        Assert.Equal((LinkCodes.NonceMismatch, "No."), (refused.Code, refused.Message));
        Assert.Equal(0, await peer.Socket.ReceiveAsync(new byte[1], Cancel));
    }

    [Fact]
    public async Task A_hello_without_an_answer_is_given_up_and_the_connection_closed()
    {
        (Socket ours, LinkPeer peer) = await LinkPeer.PairAsync();
        using LinkPeer held = peer;
        Task<SupervisorLink> opening = SupervisorLink.OverAsync(ours, "n", _notices.Enqueue, _clock, Cancel);
        await peer.ReadAsync();
        await _clock.TimerSetAsync();
        _clock.Turn(TimeSpan.FromSeconds(6));

        await Assert.ThrowsAsync<TimeoutException>(() => opening);
        Assert.Equal(0, await peer.Socket.ReceiveAsync(new byte[1], Cancel));
    }

    [Fact]
    public async Task Answers_find_their_requests_in_whatever_order_they_come()
    {
        (SupervisorLink link, LinkPeer peer) = await OpenAsync();
        await using SupervisorLink owned = link;
        using LinkPeer held = peer;
        Task<LinkMessage>[] asked = [.. Enumerable.Range(0, 20).Select(_ => link.RequestAsync(Ping, Cancel))];
        var ids = new List<long>();
        foreach (Task<LinkMessage> _ in asked)
        {
            ids.Add((await peer.ReadAsync()).Id);
        }

        await peer.SendAsync([
            .. ids.AsEnumerable()
                .Reverse()
                .Select(id => new LinkMessage
                {
                    Type = LinkMessageType.Done,
                    Id = id,
                    Position = id,
                }),
        ]);
        LinkMessage[] answers = await Task.WhenAll(asked);
        Assert.Equal(ids, answers.Select(static a => a.Position));
        Assert.Equal(20, ids.Distinct().Count());
    }

    [Fact]
    public async Task A_refusal_concerns_its_own_request_only()
    {
        (SupervisorLink link, LinkPeer peer) = await OpenAsync();
        await using SupervisorLink owned = link;
        using LinkPeer held = peer;
        Task<LinkMessage> first = link.RequestAsync(Ping, Cancel);
        Task<LinkMessage> second = link.RequestAsync(Ping, Cancel);
        long firstId = (await peer.ReadAsync()).Id;
        long secondId = (await peer.ReadAsync()).Id;
        await peer.SendAsync(
            new LinkMessage { Type = LinkMessageType.Done, Id = 12345 }, // To nobody.
            new LinkMessage
            {
                Type = LinkMessageType.Refused,
                Id = firstId,
                Code = LinkCodes.NotRunning,
                Reason = "Nothing runs.",
            },
            new LinkMessage { Type = LinkMessageType.Done, Id = secondId }
        );

        Assert.Equal(LinkCodes.NotRunning, (await Assert.ThrowsAsync<LinkRefusedException>(() => first)).Code);
        Assert.Equal(LinkMessageType.Done, (await second).Type);
    }

    [Fact]
    public async Task A_link_that_closes_fails_what_is_pending_and_what_comes_later()
    {
        (SupervisorLink link, LinkPeer peer) = await OpenAsync();
        await using SupervisorLink owned = link;
        Task<LinkMessage> pending = link.RequestAsync(Ping, Cancel);
        await peer.ReadAsync();
        Assert.False(link.Closed.IsCompleted);
        peer.Dispose();

        await Assert.ThrowsAsync<IOException>(() => pending);
        await link.Closed.WaitAsync(Cancel);
        await Assert.ThrowsAsync<IOException>(() => link.RequestAsync(Ping, Cancel));
    }

    [Fact]
    public async Task A_caller_who_gives_up_does_not_harm_the_connection()
    {
        (SupervisorLink link, LinkPeer peer) = await OpenAsync();
        await using SupervisorLink owned = link;
        using LinkPeer held = peer;
        using var impatient = new CancellationTokenSource();
        Task<LinkMessage> given = link.RequestAsync(Ping, impatient.Token);
        long first = (await peer.ReadAsync()).Id;
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);

        Task<LinkMessage> next = link.RequestAsync(Ping, Cancel);
        await peer.SendAsync(
            new LinkMessage { Type = LinkMessageType.Done, Id = first },
            new LinkMessage
            {
                Type = LinkMessageType.Done,
                Id = (await peer.ReadAsync()).Id,
                Position = 7,
            }
        );
        Assert.Equal(7, (await next).Position);
    }

    [Fact]
    public async Task Frames_that_come_byte_by_byte_or_all_at_once_are_the_same_notices_in_order()
    {
        (SupervisorLink link, LinkPeer peer) = await OpenAsync();
        await using SupervisorLink owned = link;
        LinkMessage[] sent =
        [
            .. Enumerable.Range(1, 5).Select(static i => new LinkMessage { Type = LinkMessageType.Appended, Position = i }),
        ];
        byte[] frames = [.. sent.SelectMany(LinkPeer.Frame)];
        foreach (byte one in frames)
        {
            await peer.Socket.SendAsync(new[] { one });
        }

        int passes = 1;
        for (int cut = 1; cut < frames.Length; cut += 3, passes++)
        {
            await peer.Socket.SendAsync(frames.AsMemory(0, cut), Cancel);
            await peer.Socket.SendAsync(frames.AsMemory(cut), Cancel);
        }

        // Larger than the reading buffer is at first.
        await peer.SendAsync(
            new LinkMessage
            {
                Type = LinkMessageType.Journal,
                Position = 99,
                Body = new byte[100_000],
            }
        );
        peer.Dispose();
        await link.Closed.WaitAsync(Cancel);

        long[] positions = [.. _notices.Select(static n => n.Position)];
        Assert.Equal(99, positions[^1]);
        Assert.Equal(Enumerable.Range(0, positions.Length - 1).Select(static i => (i % 5) + 1L), positions[..^1]);
        Assert.Equal(5 * passes, positions.Length - 1);
    }

    [Theory]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0 })] // Past any frame.
    [InlineData(new byte[] { 3, 0, 0, 0 })] // Below any frame.
    [InlineData(new byte[] { 6, 0, 0, 0, 113, 0, 200, 0, 0x7b, 0x7d })] // A header longer than its frame.
    [InlineData(new byte[] { 6, 0, 0, 0, 113, 0, 2, 0, 0x7b, 0x5b })] // A header that is no JSON.
    public async Task Bytes_that_are_not_the_format_end_the_connection_and_nothing_else(byte[] damage)
    {
        (SupervisorLink link, LinkPeer peer) = await OpenAsync();
        await using SupervisorLink owned = link;
        using LinkPeer held = peer;
        Task<LinkMessage> pending = link.RequestAsync(Ping, Cancel);
        await peer.SendAsync(new LinkMessage { Type = LinkMessageType.Appended, Position = 1 });
        await peer.Socket.SendAsync(damage);

        await Assert.ThrowsAsync<IOException>(() => pending);
        await link.Closed.WaitAsync(Cancel);
        Assert.Equal(1, Assert.Single(_notices).Position);
    }

    private async Task<(SupervisorLink Link, LinkPeer Peer)> OpenAsync()
    {
        (Socket ours, LinkPeer peer) = await LinkPeer.PairAsync();
        Task<SupervisorLink> opening = SupervisorLink.OverAsync(ours, "n", _notices.Enqueue, _clock, Cancel);
        await peer.SendAsync(new LinkMessage { Type = LinkMessageType.Welcome, Id = (await peer.ReadAsync()).Id });
        return (await opening, peer);
    }
}
