using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels.Comms;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// One kernel incarnation while it lives, as the rest of the engine knows it: how it does, which <see cref="KernelFollower"/> reads in its
/// journal; what may be asked of it, over its <see cref="KernelLink"/>; and what its end is meant to be.
/// </summary>
public sealed class LiveKernel
{
    private readonly KernelFollower _follower;
    private readonly KernelLink _link;
    private int _connections;

    internal LiveKernel(
        Kernel kernel,
        LiveAttempt live,
        StateStore store,
        ExecutionLedger executions,
        KernelLedger kernels,
        TimeProvider time,
        ILogger logger
    )
    {
        (Id, SpecName, Live) = (kernel.Id, kernel.SpecName, live);
        Comms = new CommReader(live.Files.Journal);
        _link = new KernelLink(Id, live, time);
        bool isKnownReady = kernel.State == KernelState.Running && kernel.AttemptId == live.Id;
        _follower = new KernelFollower(this, _link, isKnownReady, store, executions, kernels, time, logger);
    }

    public KernelId Id { get; }
    public string SpecName { get; }
    public LiveAttempt Live { get; }

    /// <summary>
    /// Completes when the kernel can be talked to; refused with kernel-died, its last words included, when it ends before.
    /// </summary>
    public Task Ready => _follower.Ready;

    /// <summary>Completes when everything that was in the journal when reading began has been read and applied.</summary>
    public Task CaughtUp => _follower.CaughtUp;

    /// <summary>Completes when the incarnation is over and everything in its journal has been applied.</summary>
    public Task Ended => _follower.Ended;

    public bool IsReady => _follower.Ready.IsCompletedSuccessfully;

    /// <summary>starting, idle, busy or dead, as Jupyter's clients expect it: from the kernel's own status messages, per request.</summary>
    public string ExecutionState => _follower.Activity.ExecutionState;

    public bool IsBusy => _follower.Activity.IsBusy;

    /// <summary>As Jupyter counts it, microseconds since 1970; 0 while nothing was heard.</summary>
    public long LastActivityAt => _follower.Activity.LastActivityAt;

    /// <summary>
    /// The content of the kernel's latest kernel_info_reply, JSON: with it a client is answered at once while the kernel is busy. Null
    /// before the first.
    /// </summary>
    public ReadOnlyMemory<byte>? KernelInfoReply => _follower.Introduction.KernelInfo is { } content ? content : null;

    /// <summary>The header.session under which the kernel speaks in this incarnation; null before its first message.</summary>
    public string? IncarnationSession => _follower.Introduction.Session;

    /// <summary>The input_request that nobody has answered yet; null when there is none.</summary>
    public PendingInput? PendingInput => _follower.PendingInput;

    /// <summary>False while the kernel's heartbeat goes unanswered.</summary>
    public bool HasHeartbeat => _follower.HasHeartbeat;

    /// <summary>Up to where the journal has been read and applied.</summary>
    public long Position => _follower.Position;

    /// <summary>How it died; null while it lives, and when it was stopped. Set before <see cref="Ended"/> completes.</summary>
    public KernelDeath? Death => _follower.Death;

    /// <summary>
    /// What became of the kernel at the end of this incarnation: stopped, dead, or restarting. Set before <see cref="Ended"/> completes.
    /// </summary>
    public KernelState? EndState => _follower.EndState;

    /// <summary>How many clients are connected now.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Set by whoever asked for the end, so that it is not reported as a death.</summary>
    public bool IsStopRequested { get; set; }

    /// <summary>Why it is being ended, where whoever asked says more than that he asked.</summary>
    public string? StopReason { get; set; }

    /// <summary>Set by whoever asked for the end to start the kernel again; a wish for the end itself outdoes it.</summary>
    public bool IsRestartRequested { get; set; }

    /// <summary>Nobody is connected any more. Handlers only take note.</summary>
    internal event Action? LastClientLeft;

    /// <summary>The supervisor is gone and this is all that is known of why; null when the journal's own exit record tells.</summary>
    internal string? LostReason { get; set; }

    /// <summary>What is open between this incarnation and its clients.</summary>
    internal CommReader Comms { get; }

    /// <summary>What was used when somebody last asked; a later question is answered by the difference.</summary>
    internal UsageSample? LastUsage { get; set; }

    public void AddConnection() => Interlocked.Increment(ref _connections);

    public void RemoveConnection()
    {
        if (Interlocked.Decrement(ref _connections) == 0)
        {
            LastClientLeft?.Invoke();
        }
    }

    /// <summary>
    /// Asks the kernel's supervisor. Errors: supervisor-unreachable; what it refuses itself is a <see cref="LinkRefusedException"/>.
    /// </summary>
    public Task<LinkMessage> AskAsync(LinkMessage request, CancellationToken cancellationToken, bool goesOnInline = false) =>
        _link.AskAsync(request, goesOnInline, cancellationToken);

    /// <summary>
    /// Sends a client's message on shell, control or stdin: a multipart of unsigned frames (header, parent, metadata, content, buffers...),
    /// which is journalled and signed and goes past the queue of notebook runs. Completes when it is with the kernel's socket. Errors:
    /// kernel-not-running, input-not-requested (stdin: nobody asks, or somebody has answered), invalid-request, supervisor-unreachable.
    /// </summary>
    public Task SendAsync(KernelChannel channel, ReadOnlyMemory<byte> unsignedMultipart, CancellationToken cancellationToken) =>
        _link.SendAsync(channel, unsignedMultipart, cancellationToken);

    internal void Listen(IKernelListener listener) => _follower.Listen(listener);

    internal void Unlisten(IKernelListener listener) => _follower.Unlisten(listener);

    /// <summary>
    /// Starts to read. Cells that were handed over before are named, so that they can be accounted for if the kernel ends.
    /// </summary>
    internal void Start(long position, IEnumerable<ExecutionId> handedOver)
    {
        foreach (ExecutionId id in handedOver)
        {
            _follower.HandOver(id);
        }

        _ = _follower.RunAsync(position);
    }

    /// <summary>A client's cell that was stored by an earlier server; to be told before reading begins.</summary>
    internal void Know(Execution sent) => _follower.Know(sent);

    /// <summary>Takes a cell into account; false when the incarnation is over and will account for none any more.</summary>
    internal bool HandOver(ExecutionId id) => _follower.HandOver(id);
}
