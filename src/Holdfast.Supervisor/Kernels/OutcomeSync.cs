using Holdfast.Protocol;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// Makes the outcomes of the queue's requests durable before the server is shown them. The next request is at the kernel already, so the
/// disk's time is not the next cell's. While more requests wait behind it, those that come faster than <see cref="PaceMs"/> are made
/// durable and told together: a notebook of small cells would otherwise spend as much on syncs, on waking the server and on its commits as
/// on its cells. One that comes after a pause is told at once, and so is whatever somebody else than the queue waits for.
/// </summary>
internal sealed class OutcomeSync
{
    /// <summary>Some twenty cells that do nothing, and less than a person sees.</summary>
    private const int PaceMs = 100;

    private readonly PollLoop _loop;
    private readonly AttemptJournal _journal;
    private readonly KernelConversation _conversation;
    private readonly LoopCallback _tell;
    private readonly LoopTimer _timer;
    private long _toldPosition;
    private long _syncedAtMs = long.MinValue / 2; // By the loop's clock.
    private bool _owesSync;

    /// <param name="tell">Tells the journal's growth at once: for this a person waits.</param>
    public OutcomeSync(PollLoop loop, AttemptJournal journal, KernelConversation conversation, LoopCallback tell)
    {
        (_loop, _journal, _conversation, _tell) = (loop, journal, conversation, tell);
        _timer = loop.AddTimer(Settle);
    }

    /// <summary>While an outcome is not synced, the journal is shown without it: what the server has been told, it may commit.</summary>
    public long ShownPosition => _owesSync ? _toldPosition : _journal.Position;

    public void NoteOutcome() => _owesSync = true;

    /// <summary>At the end of each batch.</summary>
    public void Settle()
    {
        if (_owesSync && !_journal.IsStalled)
        {
            long early = _syncedAtMs + PaceMs - _loop.NowMs;
            if (early <= 0 || _conversation.WaitingCount == 0 || _conversation.IsSomeoneAnswered)
            {
                Sync();
            }
            else if (!_timer.IsArmed)
            {
                _timer.Start(early);
            }
        }

        if (!_owesSync)
        {
            _toldPosition = _journal.Position;
            if (_conversation.IsSomeoneAnswered)
            {
                // Not after the pause that bundles news of growth.
                _tell();
            }
        }

        _conversation.IsSomeoneAnswered = false;
    }

    private void Sync()
    {
        _timer.Stop();
        _syncedAtMs = _loop.NowMs;
        _journal.Sync(static _ => CrashPoints.Reach(CrashPoint.SupervisorOutcomeSynced));
        _owesSync = false;
        _tell();
    }
}
