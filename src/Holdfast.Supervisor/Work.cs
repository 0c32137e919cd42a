using Holdfast.Protocol.Link;
using Holdfast.Supervisor.Link;

namespace Holdfast.Supervisor;

/// <summary>
/// What a supervisor holds, a job or a kernel, as the link sees it. The link answers hello, ping, follow and watch by itself and brings
/// every other request here. All members are called from the loop.
/// </summary>
internal abstract class Work
{
    /// <summary>"job" or "kernel".</summary>
    public abstract string Mode { get; }

    /// <summary>idle, starting, running, paused, stopping, ending or leaving; kernels add their own.</summary>
    public abstract string State { get; }

    /// <summary>The current attempt, or the last one while idle.</summary>
    public abstract string Attempt { get; }

    /// <summary>The folder of <see cref="Attempt"/>.</summary>
    public abstract string Directory { get; }

    /// <summary>What a hello must know: the nonce of <see cref="Attempt"/>.</summary>
    public abstract string Nonce { get; }

    public abstract string[] Capabilities { get; }

    /// <summary>Where the journal of <see cref="Attempt"/> ends.</summary>
    public abstract long JournalPosition { get; }

    /// <summary>True when that journal has had its last record.</summary>
    public abstract bool IsJournalComplete { get; }

    /// <summary>Answers a request, now or later. Its body is valid during the call only.</summary>
    public abstract void Handle(LinkRequest request);

    /// <summary>Tells a new connection, right after its welcome, the notices that make up the present state.</summary>
    public abstract void Greet(LinkConnection connection);

    /// <summary>How many peers have said hello and are connected now.</summary>
    public virtual void ConnectionsChanged(int count) { }
}
