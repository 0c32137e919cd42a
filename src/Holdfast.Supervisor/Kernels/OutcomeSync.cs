using Holdfast.Protocol;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// Makes the outcomes of the queue's requests durable before the server is shown them. The next request is at the kernel already, so the disk's time is not the next cell's. While more requests
/// wait behind it, outcomes are made durable and told together, a few at a time: a notebook of small cells would otherwise spend as much on syncs and on waking the server as on its cells.
/// </summary>
internal sealed class OutcomeSync
{
    /// <summary>At most so long is an outcome held back while more requests wait: some five cells that do nothing, and nothing that a person sees.</summary>
    private const int DelayMs = 20;

    private readonly AttemptJournal _journal;
    private readonly KernelConversation _conversation;
    private readonly LoopCallback _tell;
    private readonly LoopTimer _timer;
    private long _toldPosition;
    private bool _owesSync;
    private bool _isDue;

    /// <param name="tell">Tells the journal's growth at once: for this a person waits.</param>
    public OutcomeSync(PollLoop loop, AttemptJournal journal, KernelConversation conversation, LoopCallback tell)
    {
        (_journal, _conversation, _tell) = (journal, conversation, tell);
        _timer = loop.AddTimer(OnDue);
    }

    /// <summary>While an outcome is not synced, the journal is shown without it: what the server has been told, it may commit.</summary>
    public long ShownPosition => _owesSync ? _toldPosition : _journal.Position;

    public void NoteOutcome() => _owesSync = true;

    /// <summary>At the end of each batch.</summary>
    public void Settle()
    {
        if (_owesSync && !_journal.IsStalled)
        {
            if (_conversation.WaitingCount > 0 && !_isDue)
            {
                if (!_timer.IsArmed)
                {
                    _timer.Start(DelayMs);
                }
            }
            else
            {
                Sync();
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
        _isDue = false;
        _journal.Sync(static _ => CrashPoints.Reach(CrashPoint.SupervisorOutcomeSynced));
        _owesSync = false;
        _tell();
    }

    private void OnDue()
    {
        _isDue = true;
        Settle();
    }
}
