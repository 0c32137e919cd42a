using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Link;
using Holdfast.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Supervision;

public sealed class SupervisorCheckTests
{
    private const int Pid = 4242;
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(20);

    private readonly FakeClock _clock = new();
    private readonly LiveAttempts _attempts = new();
    private volatile int _looks;
    private volatile int _answers;
    private char _state = 'S';

    [Fact]
    public async Task A_sleeping_supervisor_is_left_asleep_and_asked_every_five_minutes_only()
    {
        using LinkPeer peer = await AttachAsync();
        await using SupervisorCheck check = Check();
        for (int look = 1; look < 15; look++)
        {
            LookOnce(look);
            Assert.Equal(0, peer.Socket.Available);
        }

        _clock.Turn(Look);
        Assert.Equal(LinkMessageType.Ping, (await peer.ReadAsync()).Type);
    }

    [Fact]
    public async Task A_stopped_supervisor_is_asked_and_shown_stale_until_it_answers()
    {
        using LinkPeer peer = await AttachAsync();
        await using SupervisorCheck check = Check();
        _state = 'T';
        _clock.Turn(Look);
        Assert.Equal(LinkMessageType.Ping, (await peer.ReadAsync()).Type);
        LiveAttempt attempt = _attempts.All.Single();
        while (attempt.Health == SupervisorHealth.Fresh)
        {
            _clock.Turn(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        // Awake again, it may be asleep at the next look: it is asked all the same, or it would stay stale.
        _state = 'S';
        Task answering = AnswerAllAsync(peer);
        while (attempt.Health == SupervisorHealth.Stale)
        {
            // By seconds: a turn over the look and its patience at once would time the question out before it could be answered.
            int answers = _answers;
            while (_answers == answers)
            {
                _clock.Turn(TimeSpan.FromSeconds(1));
                _ = SpinWait.SpinUntil(() => _answers != answers, TimeSpan.FromMilliseconds(20));
            }

            _ = SpinWait.SpinUntil(() => attempt.Health == SupervisorHealth.Fresh, TimeSpan.FromSeconds(5));
        }

        peer.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => answering);
    }

    private async Task AnswerAllAsync(LinkPeer peer)
    {
        while (true)
        {
            LinkMessage ping = await peer.ReadAsync();
            await peer.SendAsync(new LinkMessage { Type = LinkMessageType.Done, Id = ping.Id });
            _answers++;
        }
    }

    private SupervisorCheck Check() =>
        new(
            _attempts,
            _clock,
            NullLogger.Instance,
            pid =>
            {
                Assert.Equal(Pid, pid);
                _looks++;
                return _state;
            }
        );

    private void LookOnce(int count)
    {
        _clock.Turn(Look);
        Assert.True(SpinWait.SpinUntil(() => _looks == count, TimeSpan.FromSeconds(30)));
    }

    private async Task<LinkPeer> AttachAsync()
    {
        (System.Net.Sockets.Socket ours, LinkPeer peer) = await LinkPeer.PairAsync();
        Task<SupervisorLink> linking = SupervisorLink.OverAsync(
            ours,
            "nonce",
            static _ => { },
            TimeProvider.System,
            TestContext.Current.CancellationToken
        );
        LinkMessage hello = await peer.ReadAsync();
        await peer.SendAsync(
            new LinkMessage
            {
                Type = LinkMessageType.Welcome,
                Id = hello.Id,
                Pid = Pid,
            }
        );
        LiveAttempt attempt = _attempts.Ensure(new Attempt(new AttemptId("a"), 1, "nonce", "boot", null, null), "/nowhere");
        attempt.Attach(await linking);
        return peer;
    }
}
