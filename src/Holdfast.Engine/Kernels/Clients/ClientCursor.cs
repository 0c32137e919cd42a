using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels.Clients;

/// <summary>What a cursor came upon.</summary>
public enum CursorNews
{
    /// <summary>Nothing now; the cursor's owner is woken when there may be more.</summary>
    Nothing,

    /// <summary>A piece of a message: see <see cref="ClientCursor.Pieces"/>.</summary>
    Piece,

    /// <summary>The message in the middle of which the client is will never be whole.</summary>
    Cut,

    /// <summary>
    /// The incarnation died and another follows, at once or when it is due. Told once. A restart that somebody asked for is no news:
    /// Jupyter's clients take the word for a death.
    /// </summary>
    Restarting,

    /// <summary>The incarnation is over and none follows, for now. Told once.</summary>
    Dead,
}

/// <summary>
/// One client's place in what a kernel says, across its incarnations: 1. the journal of one is read to its end; 2. only then the next one's
/// begins, with the news of a death in between. Nothing of two incarnations is ever mixed. It belongs to one loop; only the waking may
/// come from elsewhere.
/// </summary>
public sealed class ClientCursor : IJournalWatcher, IDisposable
{
    /// <summary>A restart that was asked for ends a kernel and then starts it: so long it is not called dead.</summary>
    private static readonly TimeSpan SuccessorPatience = TimeSpan.FromSeconds(1);

    private readonly LiveKernels _kernels;
    private readonly LiveAttempts _attempts;
    private readonly AttemptFolders _folders;
    private readonly StateStore _store;
    private readonly TimeProvider _time;
    private readonly Action _wake;
    private readonly KernelId _kernel;
    private Attempt _attempt;
    private LiveAttempt? _watched;
    private LiveKernel? _counted;
    private bool _isRead; // The journal has been read to its end.
    private bool _isDeathTold; // On this connection: a restart may have been promised before.
    private long _endedAt;
    private bool _isDisposed; // Only read and written by the owner's loop.

    internal ClientCursor(
        LiveKernels kernels,
        LiveAttempts attempts,
        AttemptFolders folders,
        StateStore store,
        TimeProvider time,
        KernelId kernel,
        Attempt attempt,
        in SessionPlace at,
        Action wake
    )
    {
        (_kernels, _attempts, _folders, _store, _time) = (kernels, attempts, folders, store, time);
        (_kernel, _attempt, IsEndTold, _wake) = (kernel, attempt, at.IsEndTold, wake);
        Pieces = Open(attempt, at.Position);
    }

    public AttemptId Attempt => _attempt.Id;

    /// <summary>
    /// True when the client knows that this incarnation is over: by this connection, or by an earlier one of its session.
    /// </summary>
    public bool IsEndTold { get; private set; }

    /// <summary>The incarnation that is read now, or was last.</summary>
    public string Journal => new AttemptFiles(_folders.Of(_attempt.Id)).Journal;

    /// <summary>The journal of the incarnation before, once the cursor has gone over from it.</summary>
    private string? JournalBefore { get; set; }

    /// <summary>The journal of the incarnation whose end was told.</summary>
    public string JournalOfEnded => _isRead ? Journal : JournalBefore ?? Journal;

    public MessagePieces Pieces { get; private set; }

    /// <summary>How the incarnation ended that was last told of; null when somebody asked for its end.</summary>
    public KernelDeath? Death { get; private set; }

    /// <summary>The live kernel when this cursor is at its journal; null while it reads an old one's, or there is none.</summary>
    public LiveKernel? Live => _kernels.TryGet(_kernel, out LiveKernel? live) && live.Live.Id == _attempt.Id ? live : null;

    public void JournalChanged() => _wake();

    public CursorNews Read()
    {
        if (!_isRead)
        {
            bool isOver = _watched is null or { IsEnded: true }; // Looked at before the read: what was written before the end is then read.
            if (!isOver && !Pieces.HasHeld && !_watched!.MayReachPast(Pieces.ReadPosition))
            {
                return CursorNews.Nothing;
            }

            switch (Pieces.Read())
            {
                case PieceKind.First or PieceKind.Next:
                    return CursorNews.Piece;
                case PieceKind.Cut:
                    return CursorNews.Cut;
                case PieceKind.None when !isOver && !Pieces.IsDamaged:
                    return CursorNews.Nothing;
            }

            if (Pieces.IsBegun)
            {
                Pieces.GiveUp();
                return CursorNews.Cut;
            }

            _isRead = true;
        }

        return LookForNext();
    }

    public void Dispose()
    {
        _isDisposed = true;
        Leave();
    }

    private void Leave()
    {
        _watched?.Remove(this);
        _watched = null;
        _counted?.RemoveConnection();
        _counted = null;
        Pieces.Dispose();
    }

    private MessagePieces Open(Attempt attempt, long position)
    {
        Watch();
        return new MessagePieces(new AttemptFiles(_folders.Of(attempt.Id)).Journal, position);
    }

    private void Watch()
    {
        if (_watched is null && _attempts.TryGet(_attempt.Id, out LiveAttempt? live))
        {
            live.Add(this);
            _watched = live;
        }

        if (_counted is null && Live is { } counted)
        {
            counted.AddConnection();
            _counted = counted;
        }
    }

    private CursorNews LookForNext()
    {
        Task changed = _kernels.Changed;
        (Attempt? next, Kernel? kernel, bool isAskedFor) = _store.Read(reader =>
            (
                AttemptsTable.Next(reader, _kernel.Value, _attempt.Fence),
                KernelsTable.Find(reader, _kernel),
                AttemptsTable.EndedAs(reader, _attempt.Id, KernelState.Stopped.Name())
            )
        );
        if (kernel?.AttemptId == _attempt.Id && !Pieces.IsDamaged)
        {
            // Its end is read and not stored yet; or it was just stored as begun, and is about to have a process.
            _isRead = false;
            Watch();
            _ = WakeAtAsync(changed);
            return CursorNews.Nothing;
        }

        Death =
            kernel is { State: KernelState.Dead, LastDeath: { } last, Reason: { } whole } ? last with { Reason = whole } // Also why it is given up.
            : isAskedFor ? null
            : kernel is { State: KernelState.Dead or KernelState.Restarting } ? kernel.LastDeath
            : next is not null && kernel is { IsRevived: true } ? kernel.LastDeath
            : null;
        if (next is not null)
        {
            return GoOver(next, isAskedFor);
        }

        _ = WakeAtAsync(changed);
        _endedAt = _endedAt == 0 ? _time.GetTimestamp() : _endedAt;
        TimeSpan left = kernel is { State: KernelState.Stopped } ? SuccessorPatience - _time.GetElapsedTime(_endedAt) : TimeSpan.Zero;
        bool isRestarting = kernel is { State: KernelState.Restarting };
        if ((isRestarting ? IsEndTold || isAskedFor : _isDeathTold) || kernel is { State: KernelState.Starting })
        {
            return CursorNews.Nothing;
        }

        if (left > TimeSpan.Zero)
        {
            _ = WakeAtAsync(Task.Delay(left, _time));
            return CursorNews.Nothing;
        }

        (IsEndTold, _isDeathTold) = (true, !isRestarting);
        return isRestarting ? CursorNews.Restarting : CursorNews.Dead;
    }

    private CursorNews GoOver(Attempt next, bool isAskedFor)
    {
        bool isKnown = IsEndTold || isAskedFor;
        Leave();
        JournalBefore = Journal;
        _attempt = next;
        (_isRead, IsEndTold, _isDeathTold, _endedAt) = (false, false, false, 0);
        Pieces = Open(next, 0);
        return isKnown ? Read() : CursorNews.Restarting;
    }

    private async Task WakeAtAsync(Task something)
    {
        await something;
        if (!_isDisposed)
        {
            _wake();
        }
    }
}
