using System.Collections.Concurrent;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Jobs;

/// <summary>Supervisors whose job is over, waiting for their next: the one used last goes first, so that the surplus gets cold.</summary>
internal sealed class WarmSupervisors(int most)
{
    private readonly ConcurrentStack<JobSupervisor> _idle = new();
    private volatile bool _hasDead; // Set when any supervisor's link closes, taken back by Trim alone.

    public void Add(JobSupervisor? supervisor)
    {
        if (supervisor is not null && !supervisor.Link.Closed.IsCompleted)
        {
            _idle.Push(supervisor);
        }
    }

    public JobSupervisor? Take()
    {
        while (_idle.TryPop(out JobSupervisor? supervisor))
        {
            if (!supervisor.Link.Closed.IsCompleted)
            {
                return supervisor;
            }
        }

        return null;
    }

    /// <summary>Some supervisor's link has closed; it may be one of these.</summary>
    public void NoteGone() => _hasDead = true;

    /// <summary>Lets go of what is more than wanted. One at a time calls this.</summary>
    public void Trim(CancellationToken stopping)
    {
        ForgetDead();
        while (_idle.Count > most && _idle.TryPop(out JobSupervisor? surplus))
        {
            _ = ReleaseAsync(surplus, stopping);
        }
    }

    /// <summary>
    /// Those that left while they were idle, or were killed, no longer count. Before the count is looked at, which is the only time that it
    /// matters.
    /// </summary>
    private void ForgetDead()
    {
        if (!_hasDead)
        {
            return;
        }

        _hasDead = false;
        var living = new List<JobSupervisor>();
        while (Take() is { } supervisor)
        {
            living.Add(supervisor);
        }

        for (int i = living.Count - 1; i >= 0; i--)
        {
            _idle.Push(living[i]);
        }
    }

    private static async Task ReleaseAsync(JobSupervisor supervisor, CancellationToken stopping)
    {
        try
        {
            await supervisor.Link.RequestAsync(new LinkMessage { Type = LinkMessageType.Release }, stopping);
        }
        catch (Exception e) when (e is IOException or LinkRefusedException or OperationCanceledException)
        {
            // It leaves by itself when idle.
        }
    }
}
