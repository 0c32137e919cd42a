using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels.Comms;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// One kernel incarnation while it lives: reads its journal from a position on, keeps what is known only from its messages (idle or busy), applies
/// what they mean for executions, and hands each message to whoever folds outputs. One loop does all of it, so that nothing here needs a lock but the list of listeners.
/// </summary>
public sealed partial class LiveKernel
{
    /// <summary>Bytes read on the thread that brought the news; the rest elsewhere, for the link has others to serve.</summary>
    private const int InlineBytesMax = 64 * 1024;

    private readonly KernelLedger _kernels;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CellTracker _cells;
    private readonly MessageJoiner _joiner;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _caughtUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _listening = new();
    private readonly List<IKernelListener> _listeners = []; // guarded by _listening
    private readonly KernelCommits _commits;
    private readonly KernelActivity _activity;
    private readonly KernelIntroduction _introduction = new();
    private readonly InputTracker _input = new();
    private volatile JournalFollower? _follower;
    private ExitRecord? _exit;
    private bool _isOver; // guarded by _listening
    private int _connections;
    private List<Action<StoreTransaction>> _changes = []; // Read, and not yet given to be stored.

    internal LiveKernel(
        Kernel kernel, LiveAttempt live, StateStore store, ExecutionLedger executions, KernelLedger kernels, TimeProvider time, ILogger logger)
    {
        (Id, SpecName, Live) = (kernel.Id, kernel.SpecName, live);
        (_kernels, _time, _logger) = (kernels, time, logger);
        _joiner = new MessageJoiner(WantsWhole, TakePiece);
        Comms = new CommReader(live.Files.Journal);
        _cells = new CellTracker(executions, Id, live.Id, time) { CancelledCellStarted = messageId => _ = InterruptAsync(messageId) };
        _commits = new KernelCommits(store, live.Files.Journal, Mark, () => _follower?.Pulse(), Id.Value, time, logger);

        // Its ready event may lie before what is read.
        bool isKnownReady = kernel.State == KernelState.Running && kernel.AttemptId == live.Id;
        _activity = new KernelActivity(isKnownReady);
        if (isKnownReady)
        {
            _ready.TrySetResult();
        }
    }

    public KernelId Id { get; }
    public string SpecName { get; }
    public LiveAttempt Live { get; }

    /// <summary>Completes when the kernel can be talked to; refused with kernel-died, its last words included, when it ends before.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Completes when everything that was in the journal when reading began has been read and applied.</summary>
    public Task CaughtUp => _caughtUp.Task;

    /// <summary>Completes when the incarnation is over and everything in its journal has been applied.</summary>
    public Task Ended => _ended.Task;

    public bool IsReady => _ready.Task.IsCompletedSuccessfully;

    /// <summary>starting, idle, busy or dead, as Jupyter's clients expect it: from the kernel's own status messages, per request.</summary>
    public string ExecutionState => _activity.ExecutionState;

    public bool IsBusy => _activity.IsBusy;

    /// <summary>The content of the kernel's latest kernel_info_reply, JSON: with it a client is answered at once while the kernel is busy. Null before the first.</summary>
    public ReadOnlyMemory<byte>? KernelInfoReply => _introduction.KernelInfo is { } content ? content : null;

    /// <summary>The header.session under which the kernel speaks in this incarnation; null before its first message.</summary>
    public string? IncarnationSession => _introduction.Session;

    /// <summary>The input_request that nobody has answered yet; null when there is none.</summary>
    public PendingInput? PendingInput => _input.Pending;

    /// <summary>What is open between this incarnation and its clients.</summary>
    internal CommReader Comms { get; }

    /// <summary>False while the kernel's heartbeat goes unanswered.</summary>
    public bool HasHeartbeat { get; private set; } = true;

    /// <summary>As Jupyter counts it, microseconds since 1970; 0 while nothing was heard.</summary>
    public long LastActivityAt => _activity.LastActivityAt;

    /// <summary>How many clients are connected now.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public void AddConnection() => Interlocked.Increment(ref _connections);

    public void RemoveConnection()
    {
        if (Interlocked.Decrement(ref _connections) == 0)
        {
            LastClientLeft?.Invoke();
        }
    }

    /// <summary>Up to where the journal has been read and applied.</summary>
    public long Position { get; private set; }

    /// <summary>Set by whoever asked for the end, so that it is not reported as a death.</summary>
    public bool IsStopRequested { get; set; }

    /// <summary>Why it is being ended, where whoever asked says more than that he asked.</summary>
    public string? StopReason { get; set; }

    /// <summary>Set by whoever asked for the end to start the kernel again; a wish for the end itself outdoes it.</summary>
    public bool IsRestartRequested { get; set; }

    /// <summary>How it died; null while it lives, and when it was stopped. Set before <see cref="Ended"/> completes.</summary>
    public KernelDeath? Death { get; private set; }

    /// <summary>What became of the kernel at the end of this incarnation: stopped, dead, or restarting. Set before <see cref="Ended"/> completes.</summary>
    public KernelState? EndState { get; private set; }

    /// <summary>Nobody is connected any more. Handlers only take note.</summary>
    internal event Action? LastClientLeft;

    /// <summary>What was used when somebody last asked; a later question is answered by the difference.</summary>
    internal UsageSample? LastUsage { get; set; }

    internal void Listen(IKernelListener listener)
    {
        lock (_listening)
        {
            _listeners.Add(listener);
        }
    }

    internal void Unlisten(IKernelListener listener)
    {
        lock (_listening)
        {
            _listeners.Remove(listener);
        }
    }

    /// <summary>Starts to read. Cells that were handed over before are named, so that they can be accounted for if the kernel ends.</summary>
    internal void Start(long position, IEnumerable<ExecutionId> handedOver)
    {
        foreach (ExecutionId id in handedOver)
        {
            HandOver(id);
        }

        _ = RunAsync(position);
    }

    /// <summary>A client's cell that was stored by an earlier server; to be told before reading begins.</summary>
    internal void Know(Execution sent) => _cells.Know(sent.MessageId!, sent.Id);

    /// <summary>Takes a cell into account; false when the incarnation is over and will account for none any more.</summary>
    internal bool HandOver(ExecutionId id)
    {
        lock (_listening)
        {
            if (!_isOver)
            {
                _cells.HandOver(id);
            }

            return !_isOver;
        }
    }

    /// <summary>The supervisor is gone and this is all that is known of why; null when the journal's own exit record tells.</summary>
    internal string? LostReason { get; set; }

    public async Task<LinkMessage> AskAsync(LinkMessage request, CancellationToken cancellationToken, bool goesOnInline = false)
    {
        try
        {
            SupervisorLink link = await Live.Link.WaitAsync(LinkTimeout, _time, cancellationToken);
            return await link.RequestAsync(request with { Attempt = Live.Id.Value }, cancellationToken, goesOnInline).WaitAsync(LinkTimeout, _time, cancellationToken);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            throw new RefusedException(ErrorCodes.SupervisorUnreachable, $"The supervisor of kernel {Id} does not answer now ({e.Message}). The kernel is not harmed; try again.");
        }
    }

    /// <summary>
    /// Sends a client's message on shell, control or stdin: a multipart of unsigned frames (header, parent, metadata, content, buffers...), which is journalled and signed and goes past
    /// the queue of notebook runs. Completes when it is with the kernel's socket. Errors: kernel-not-running, input-not-requested (stdin: nobody asks, or somebody has
    /// answered), invalid-request, supervisor-unreachable.
    /// </summary>
    public async Task SendAsync(KernelChannel channel, ReadOnlyMemory<byte> unsignedMultipart, CancellationToken cancellationToken)
    {
        string name = channel switch
        {
            KernelChannel.Shell => "shell",
            KernelChannel.Control => "control",
            KernelChannel.Stdin => "stdin",
            _ => throw new ArgumentOutOfRangeException(nameof(channel)),
        };
        try
        {
            await AskAsync(new LinkMessage { Type = LinkMessageType.Send, Channel = name, Body = unsignedMultipart }, cancellationToken, goesOnInline: true);
        }
        catch (LinkRefusedException e)
        {
            throw new RefusedException(
                e.Code switch
                {
                    LinkCodes.NotRunning => ErrorCodes.KernelNotRunning,
                    LinkCodes.InputNotRequested => ErrorCodes.InputNotRequested,
                    LinkCodes.MessageInvalid => ErrorCodes.InvalidRequest,
                    _ => ErrorCodes.InternalError,
                },
                e.Message);
        }
    }

    private static readonly TimeSpan LinkTimeout = TimeSpan.FromSeconds(10);

    private async Task RunAsync(long position)
    {
        try
        {
            while (!Directory.Exists(Live.Files.Journal) && !Live.IsEnded)
            {
                Task growth = Live.Growth;
                if (!Directory.Exists(Live.Files.Journal) && !Live.IsEnded)
                {
                    await growth; // The supervisor is about to make it; its link is announced by a pulse.
                }
            }

            if (Directory.Exists(Live.Files.Journal))
            {
                if (position > 0)
                {
                    _introduction.ReadBeginning(Live.Files.Journal, position);
                }

                using JournalFollower follower = JournalFollower.Open(Live.Files.Journal, position);
                Live.Follow(follower);
                _follower = follower;
                await FollowAsync(follower);
            }

            await EndAsync();
        }
        catch (Exception e) when (e is JournalDamagedException or IOException or AttemptFormatException)
        {
            // A broken journal stops what reads it; the kernel is kept alive, and the damage is told. Its end, when it comes, still ends its cells.
            Log.NewsFailed(_logger, Id.Value, e);
            LostReason ??= $"Its journal cannot be read: {e.Message}";
            _ready.TrySetException(new RefusedException(ErrorCodes.InternalError, $"The journal of kernel {Id} cannot be read: {e.Message}"));
            _ = _ready.Task.Exception;
            _caughtUp.TrySetResult();
            await WaitForEndAsync();
            await EndAsync();
        }
        finally
        {
            _caughtUp.TrySetResult();
            _ended.TrySetResult();
        }
    }

    private async Task WaitForEndAsync()
    {
        while (!Live.IsEnded)
        {
            Task growth = Live.Growth;
            if (!Live.IsEnded)
            {
                await growth;
            }
        }
    }

    private async Task InterruptAsync(string messageId)
    {
        try
        {
            await AskAsync(new LinkMessage { Type = LinkMessageType.Interrupt, MessageId = messageId }, CancellationToken.None);
        }
        catch (Exception e) when (e is RefusedException or LinkRefusedException)
        {
            // It has ended, or is out of reach; a cancel that was not heard can be given again.
        }
    }

    private async Task FollowAsync(JournalFollower follower)
    {
        do
        {
            long from = follower.Position;
            while (Live.MayReachPast(follower.Position) && follower.TryRead(out JournalRecord record))
            {
                Take(record);
                if (follower.Position - from > InlineBytesMax)
                {
                    await Task.Yield();
                    from = long.MaxValue;
                }
            }

            if (_caughtUp.Task.IsCompleted)
            {
                _commits.Turn(_changes.Count > 0, _cells.HasChanged, TakeCommit);
            }
            else
            {
                await _commits.FlushAsync(TakeCommit);
                _caughtUp.TrySetResult();
            }
        }
        while (await follower.WaitAsync(CancellationToken.None));
    }

    /// <summary>Everything that was read and is not stored.</summary>
    private KernelCommit TakeCommit()
    {
        List<Action<StoreTransaction>> changes = _changes;
        _changes = [];
        List<SentCellSave> cells = _cells.TakeChanged(out bool hasOutcome);
        return new KernelCommit(changes, cells, hasOutcome, ReadFrom(), LastActivityAt);
    }

    /// <summary>Whoever reads on from here after a restart meets everything again that is not over: requests, messages half read, a question to the user.</summary>
    private long ReadFrom()
    {
        long from = Math.Min(Position, Math.Min(_cells.OldestPosition, _activity.OldestPosition));
        return Math.Min(Math.Min(from, _joiner.OldestPosition), PendingInput?.Position ?? from);
    }

    private void Mark(StoreTransaction transaction, KernelCommit commit)
    {
        AttemptsTable.SaveReadFrom(transaction, Live.Id, commit.ReadFrom);
        if (commit.LastActivityAt > 0)
        {
            KernelsTable.Touch(transaction, Id, commit.LastActivityAt);
        }
    }

    private void Take(in JournalRecord record)
    {
        Position = record.NextPosition;
        long at = UnixTime.FromNanoseconds(record.UnixNanoseconds);
        if (record.Channel == JournalChannel.Event)
        {
            TakeEvent(AttemptEvent.Read(record.Payload.Span), at);
        }
        else if (record.Channel >= JournalChannel.IoPub)
        {
            if (_joiner.TryTake(record, out KernelMessage message))
            {
                TakeMessage(message);
            }
        }
    }

    private bool WantsWhole(LargeMessage message)
    {
        lock (_listening)
        {
            return _listeners.Exists(l => l.WantsWhole(message));
        }
    }

    private void TakePiece(LargeMessage message, ReadOnlySpan<byte> content)
    {
        lock (_listening)
        {
            foreach (IKernelListener listener in _listeners)
            {
                listener.TakePiece(message, content);
            }
        }
    }

    private void TakeMessage(in KernelMessage message)
    {
        _activity.Take(message);
        _introduction.Take(message.Channel, message.Message);
        _input.Take(message, _cells.ExecutionOf);

        lock (_listening)
        {
            // Listeners first: a fold has the last output before the change that says "done" is stored.
            foreach (IKernelListener listener in _listeners)
            {
                listener.Take(message);
            }

            Add(_cells.Take(message));
        }
    }

    private void TakeEvent(AttemptEvent journalEvent, long at)
    {
        switch (journalEvent.Event)
        {
            case AttemptEvent.Ready:
                _changes.Add(transaction => transaction.OnCommitted(() => _ready.TrySetResult()));
                _changes.Add(transaction => _kernels.Ready(transaction, Id, Live.Id));
                break;
            case AttemptEvent.Started:
                Live.ChildPid = journalEvent.Pid;
                break;
            case AttemptEvent.Heartbeat:
                HasHeartbeat = journalEvent.Alive ?? true;
                break;
            case AttemptEvent.ExitEvent:
                _exit = journalEvent.Exit;
                break;
            default:
                if (journalEvent is { Event: AttemptEvent.Gap, MessageId: { } lost })
                {
                    _activity.GiveUp(lost);
                }

                lock (_listening)
                {
                    Add(_cells.Take(journalEvent, Position, at));
                }

                break;
        }
    }

    private async Task EndAsync()
    {
        long at = _exit is { } exit ? UnixTime.FromNanoseconds(exit.AtUnixNanoseconds) : _time.NowMicroseconds();
        string reason = _exit?.Reason ?? LostReason ?? "How it ended is not known.";
        bool mayRestart = Live.Attempt.BootId == ProcessIdentity.BootIdNow;
        bool isRestarted = mayRestart && !IsStopRequested && (IsRestartRequested || _exit?.Cause == KernelStop.Restarted);
        bool isStopped = isRestarted || IsStopRequested || _exit?.Cause is KernelStop.Cause or KernelStop.Culled or KernelStop.Restarted;
        KernelDeath? death = isStopped ? null : _exit is not null ? KernelDeath.Of(_exit) : new KernelDeath(KernelDeath.Lost, null, null, reason, at);
        reason = isStopped ? StopReason ?? KernelStop.Reason(_exit?.Cause) : reason;
        string lastWords = isStopped ? "" : KernelLastWords.Read(Live.Files.Journal);
        _input.End();
        _activity.End();
        lock (_listening)
        {
            _isOver = true;
            _changes.AddRange(_cells.End(_exit is not null, reason, Position, at));
        }

        Kernel? ended = null;
        _changes.Add(transaction => ended =
            isRestarted ? _kernels.StopToRestart(transaction, Id, Live.Id, reason)
            : death is null ? _kernels.Stop(transaction, Id, Live.Id, reason)
            : _kernels.Die(transaction, Id, Live.Id, death, mayRestart));
        await _commits.FlushAsync(TakeCommit);
        (Death, EndState) = (death, ended?.State ?? (isStopped ? KernelState.Stopped : KernelState.Dead));
        if (!_ready.Task.IsCompleted)
        {
            _ready.TrySetException(new RefusedException(ErrorCodes.KernelDied, $"The kernel '{SpecName}' ended before it was ready. {reason}{lastWords}"));
            _ = _ready.Task.Exception; // Observed: not every start is awaited.
        }

        if (!isStopped)
        {
            Log.Died(_logger, Id.Value, reason);
        }
    }

    private void Add(Action<StoreTransaction>? change)
    {
        if (change is not null)
        {
            _changes.Add(change);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.KernelNewsFailed, LogLevel.Error, "News from kernel {KernelId} could not be applied.")]
        public static partial void NewsFailed(ILogger logger, string kernelId, Exception exception);

        [LoggerMessage(EventIds.KernelDied, LogLevel.Warning, "Kernel {KernelId} died. {Reason}")]
        public static partial void Died(ILogger logger, string kernelId, string reason);
    }
}
