using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Jobs;

/// <summary>
/// The server's end of one job supervisor: which attempt it works on, and what its notices mean. A supervisor outlives its attempts: when
/// one ends durably it may be given the next.
/// </summary>
internal sealed class JobSupervisor(JobNews news)
{
    private readonly Lock _lock = new();
    private LiveAttempt? _current; // guarded by _lock

    public SupervisorLink Link { get; private set; } = null!;

    public LiveAttempt? Current
    {
        get
        {
            lock (_lock)
            {
                return _current;
            }
        }
    }

    /// <summary>Takes the link into use; from here its closing is noticed.</summary>
    public void Open(SupervisorLink link)
    {
        Link = link;
        _ = WatchClosingAsync();
    }

    /// <summary>Says which attempt the notices are about from now on. To be called before the supervisor is told.</summary>
    public void Assign(LiveAttempt live)
    {
        lock (_lock)
        {
            _current = live;
        }
    }

    public void OnNotice(LinkMessage notice)
    {
        LiveAttempt? live = Current;
        if (live is null || (notice.Attempt is { } attempt && attempt != live.Id.Value))
        {
            return; // About an attempt that is over for us.
        }

        switch (notice.Type)
        {
            case LinkMessageType.Started:
                live.Take(notice);
                news.Started(live, UnixTime.FromNanoseconds(notice.AtUnixNanoseconds));
                break;
            case LinkMessageType.Paused:
                news.Moved(live, ExecutionCommand.ConfirmPaused);
                break;
            case LinkMessageType.Resumed:
                news.Moved(live, ExecutionCommand.ConfirmResumed);
                break;
            case LinkMessageType.Exited:
                // The file, not the notice, is the record; it was durable before the notice was sent. Read while the attempt is still ours:
                // when that fails the link breaks, and the rescue that follows must find whose outcome is missing.
                Outcome outcome = JobOutcome.Of(ExitRecord.Read(PlainFile.Read(live.Files.Exit, AttemptFiles.RecordBytesMax)));
                Assign(null!);
                news.Ended(live, outcome, this);
                break;
            default:
                live.Take(notice);
                break;
        }
    }

    private async Task WatchClosingAsync()
    {
        await Link.Closed;
        LiveAttempt? live;
        lock (_lock)
        {
            live = _current;
            _current = null;
        }

        news.Gone(this, live);
    }
}
