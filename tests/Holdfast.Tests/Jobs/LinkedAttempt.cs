using System.Net.Sockets;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Link;
using Holdfast.Tests.Fakes;
using Holdfast.Tests.Supervision;

namespace Holdfast.Tests.Jobs;

/// <summary>A running job whose supervisor is moved by hand: its attempt, and both ends of its link.</summary>
internal sealed class LinkedAttempt : IAsyncDisposable
{
    private LinkedAttempt(LinkPeer supervisor, SupervisorLink link) => (Supervisor, Link) = (supervisor, link);

    public static AttemptId Id => new("01attempt");

    public LiveAttempts Attempts { get; } = new();

    public LinkPeer Supervisor { get; }

    public SupervisorLink Link { get; }

    public LiveAttempt Live => Attempts.Ensure(new Attempt(Id, 1, "nonce", "boot", Execution.Id, null), "/nowhere");

    /// <summary>As the store has it.</summary>
    public static Execution Execution { get; } =
        new()
        {
            Sequence = 1,
            Id = new ExecutionId("01execution"),
            Kind = ExecutionKind.Job,
            State = ExecutionState.Running,
            CreatedAt = 1,
            Queue = "default",
            Attempt = 1,
            AttemptId = Id,
        };

    /// <summary>The link is open, and nobody has attached it yet.</summary>
    public static async Task<LinkedAttempt> OpenAsync()
    {
        (Socket ours, LinkPeer peer) = await LinkPeer.PairAsync();
        Task<SupervisorLink> opening = SupervisorLink.OverAsync(
            ours,
            "nonce",
            static _ => { },
            new FakeClock(),
            TestContext.Current.CancellationToken
        );
        await peer.SendAsync(
            new LinkMessage
            {
                Type = LinkMessageType.Welcome,
                Id = (await peer.ReadAsync()).Id,
                Pid = 42,
            }
        );
        return new LinkedAttempt(peer, await opening);
    }

    /// <summary>What the supervisor is asked while this goes on, which it grants.</summary>
    public async Task<LinkMessage> GrantAsync(Task asking)
    {
        LinkMessage asked = await Supervisor.ReadAsync();
        Assert.False(asking.IsCompleted);
        await Supervisor.SendAsync(new LinkMessage { Type = LinkMessageType.Done, Id = asked.Id });
        await asking;
        return asked;
    }

    /// <summary>The same, which it refuses.</summary>
    public async Task RefuseAsync(string code) =>
        await Supervisor.SendAsync(
            new LinkMessage
            {
                Type = LinkMessageType.Refused,
                Id = (await Supervisor.ReadAsync()).Id,
                Code = code,
                Reason = "No.",
            }
        );

    public async ValueTask DisposeAsync()
    {
        await Link.DisposeAsync();
        Supervisor.Dispose();
    }
}
