using Holdfast.Engine.Executions;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Supervision;

/// <summary>Whether a live supervisor answers: shown, never acted on. Only a freed lock means dead.</summary>
public enum SupervisorHealth
{
    Fresh,
    Stale,
}

/// <summary>
/// One attempt that has, or is about to have, a supervisor: its folder, its link once there is one, and the pulse its followers wait for.
/// </summary>
public sealed class LiveAttempt(Attempt attempt, string directory)
{
    private const long UnknownEnd = long.MaxValue;

    private readonly TaskCompletionSource<SupervisorLink> _attached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Task<SupervisorLink>? _attachedAgain;
    private volatile SupervisorLink? _latestLink;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _following = new();
    private volatile JournalFollower? _follower; // replaced under _following
    private long _toldEnd = UnknownEnd;
    private volatile IJournalWatcher[] _watchers = []; // replaced under _following
    private volatile bool _wantsWatch;
    private int _isWatched;
    private volatile bool _isEnded;
    private int _isOutcomeTaken;
    private int _isStopRequested;

    public Attempt Attempt { get; } = attempt;
    public AttemptId Id => Attempt.Id;
    public AttemptFiles Files { get; } = new(directory);

    /// <summary>The link, as soon as there is one; faulted when the attempt ended without.</summary>
    public Task<SupervisorLink> Link => _attachedAgain ?? _attached.Task;

    /// <summary>The latest link, open or not; null before the first.</summary>
    public SupervisorLink? LatestLink => _latestLink;

    /// <summary>It counts against the jobs that run at once; terminals do not.</summary>
    public bool TakesSlot { get; set; } = true;

    /// <summary>
    /// Completes when the child is known to have been launched, or never will be: before that it has no input to write to and no size.
    /// </summary>
    public Task Started => _started.Task;

    /// <summary>When the child was started, once that is known; microseconds since 1970.</summary>
    public long? StartedAt { get; set; }

    /// <summary>When its launch began in this server, microseconds since 1970; 0 when an earlier server launched it.</summary>
    public long ClaimedAt { get; set; }

    /// <summary>True once the outcome is known here, stored or not.</summary>
    public bool IsOutcomeKnown => Volatile.Read(ref _isOutcomeTaken) != 0;

    /// <summary>True for the first who brings an outcome: a notice and a rescue, or two rescues, may each find it.</summary>
    public bool TryTakeOutcome() => Interlocked.Exchange(ref _isOutcomeTaken, 1) == 0;

    /// <summary>The child's pid, once it is known; for people to look at, never to signal.</summary>
    public int? ChildPid { get; set; }

    /// <summary>Why the journal cannot grow now; null while it can.</summary>
    public string? StallReason { get; private set; }

    public SupervisorHealth Health { get; set; }

    /// <summary>Why its supervisor, which lives, could not be connected to at the last try; null while it is.</summary>
    public string? LinkProblem { get; set; }

    /// <summary>True once a stop was asked for: whoever attaches a link later must pass it on.</summary>
    public bool IsStopRequested
    {
        get => Volatile.Read(ref _isStopRequested) != 0;
        // A full fence: whoever asks looks for the link after this, and whoever attaches it looks for the wish after that; one of them must
        // see the other.
        set => Interlocked.Exchange(ref _isStopRequested, value ? 1 : 0);
    }

    /// <summary>True when nothing more will be written to the journal.</summary>
    public bool IsEnded => _isEnded;

    /// <summary>
    /// Completes at the journal's next growth or the attempt's end. Take it before reading, so that nothing slips between.
    /// </summary>
    public Task Growth => _grown.Task;

    /// <summary>
    /// The first link, or a new one in place of one that broke; whoever followed the journal goes on being told of its growth.
    /// </summary>
    public void Attach(SupervisorLink link)
    {
        _latestLink = link;
        if (!_attached.TrySetResult(link))
        {
            _attachedAgain = Task.FromResult(link);
        }

        Interlocked.MemoryBarrier(); // See IsStopRequested.

        _isWatched = 0;
        if (_wantsWatch)
        {
            _ = WatchQuietlyAsync();
        }
    }

    /// <summary>Nothing will come any more: wakes every follower for the last time.</summary>
    public void End()
    {
        lock (_following)
        {
            _isEnded = true;
        }

        TellWatchers();
        _follower?.Finish();
        _attached.TrySetException(
            new RefusedException(ErrorCodes.SupervisorUnreachable, "The work has ended; there is nothing left to talk to.")
        );
        _started.TrySetResult();
        _ = _attached.Task.Exception; // Observed: most attempts end with nobody asking for their link.
        _grown.TrySetResult();
    }

    /// <summary>Asks the supervisor, once, to tell when the journal grows: only attempts that are followed pay for notices.</summary>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        _wantsWatch = true;
        if (Interlocked.Exchange(ref _isWatched, 1) == 0)
        {
            try
            {
                SupervisorLink link = await Link.WaitAsync(cancellationToken);
                await link.RequestAsync(new LinkMessage { Type = LinkMessageType.Watch, Attempt = Id.Value }, cancellationToken);
            }
            catch
            {
                _isWatched = 0;
                throw;
            }
        }
    }

    /// <summary>
    /// As above, for a follower that can do nothing about a link that is not there: it reads what there is, and more when it is attached
    /// again.
    /// </summary>
    public async Task WatchQuietlyAsync()
    {
        try
        {
            await WatchAsync(CancellationToken.None);
            Pulse();
        }
        catch (Exception e) when (e is IOException or LinkRefusedException or RefusedException)
        {
            // The next attachment watches again, or the attempt is over.
        }
    }

    /// <summary>The notices every kind of attempt shares.</summary>
    public void Take(LinkMessage notice)
    {
        switch (notice.Type)
        {
            case LinkMessageType.Started:
                ChildPid = notice.Pid;
                _started.TrySetResult();
                break;
            case LinkMessageType.Appended:
                Volatile.Write(ref _toldEnd, notice.Position);
                Pulse();
                break;
            case LinkMessageType.Exited:
                Volatile.Write(ref _toldEnd, UnknownEnd); // Its last record is not told apart.
                break;
            case LinkMessageType.Stalled:
                StallReason = notice.Reason ?? "The journal cannot be written.";
                break;
            case LinkMessageType.Unstalled:
                StallReason = null;
                break;
        }
    }

    /// <summary>Wakes this follower, too, from now on; the attempt has one that reads everything, if any.</summary>
    public void Follow(JournalFollower follower)
    {
        bool isEnded;
        lock (_following)
        {
            _follower = follower;
            isEnded = _isEnded;
        }

        if (isEnded)
        {
            follower.Finish();
        }
    }

    /// <summary>
    /// False when the journal was told to end at or before this position: then a look into it is spared. It is told of every growth.
    /// </summary>
    public bool MayReachPast(long position) => _isEnded || position < Volatile.Read(ref _toldEnd);

    /// <summary>
    /// Tells this watcher, too, of every change from now on, until it is taken away again. It looks at the journal once after this: what
    /// came before is not told.
    /// </summary>
    public void Add(IJournalWatcher watcher)
    {
        lock (_following)
        {
            _watchers = [.. _watchers, watcher];
        }
    }

    public void Remove(IJournalWatcher watcher)
    {
        lock (_following)
        {
            _watchers = Array.FindAll(_watchers, other => !ReferenceEquals(other, watcher));
        }
    }

    /// <summary>Says to everyone who follows that the journal has grown.</summary>
    public void Pulse()
    {
        TellWatchers(); // First, and on this very thread: somebody waits for what is passed on here.
        _follower?.PulseInline();
        Interlocked.Exchange(ref _grown, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        if (_isEnded)
        {
            _grown.TrySetResult(); // A pulse may come after the end; nobody who waits from now on would be woken again.
        }
    }

    private void TellWatchers()
    {
        foreach (IJournalWatcher watcher in _watchers)
        {
            watcher.JournalChanged();
        }
    }
}
