namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// Which requests the kernel is at, by its own busy and idle, and which of those to come are to be interrupted when it takes them up: so
/// that the interrupt of one cell never hits the next. Pure: sends nothing. What it remembers of requests that never come is bounded.
/// </summary>
internal sealed class InterruptTargets
{
    public const int WantedMax = 256;
    private readonly List<RunningRequest> _running = [];
    private readonly List<byte[]> _wanted = [];

    /// <summary>The kernel is at something.</summary>
    public bool IsAny => _running.Count > 0;

    /// <summary>The ids of what the kernel is at.</summary>
    public IEnumerable<byte[]> Running
    {
        get
        {
            foreach (RunningRequest request in _running)
            {
                yield return request.Id;
            }
        }
    }

    /// <summary>True when the kernel is at this request now; else it is remembered for when it is.</summary>
    public bool Want(ReadOnlySpan<byte> messageId)
    {
        if (Find(messageId) is not null)
        {
            return true;
        }

        if (IndexOf(_wanted, messageId) < 0)
        {
            if (_wanted.Count == WantedMax)
            {
                _wanted.RemoveAt(0);
            }

            _wanted.Add(messageId.ToArray());
        }

        return false;
    }

    /// <summary>When the kernel took up what it is at; null for any other request.</summary>
    public long? RunningSinceMs(ReadOnlySpan<byte> messageId) => Find(messageId)?.SinceMs;

    /// <summary>The kernel has taken it up. True when it is to be interrupted.</summary>
    public bool NoteBusy(ReadOnlySpan<byte> messageId, long nowMs)
    {
        if (Find(messageId) is null)
        {
            _running.Add(new RunningRequest(messageId.ToArray(), nowMs));
        }

        return RemoveWanted(messageId);
    }

    /// <summary>It is over: its reply or its idle has come, or is waited for no more.</summary>
    public void NoteEnd(ReadOnlySpan<byte> messageId)
    {
        if (Find(messageId) is { } ended)
        {
            _ = _running.Remove(ended);
        }

        _ = RemoveWanted(messageId);
    }

    private RunningRequest? Find(ReadOnlySpan<byte> id)
    {
        foreach (RunningRequest request in _running)
        {
            if (id.SequenceEqual(request.Id))
            {
                return request;
            }
        }

        return null;
    }

    private bool RemoveWanted(ReadOnlySpan<byte> id)
    {
        int i = IndexOf(_wanted, id);
        if (i >= 0)
        {
            _wanted.RemoveAt(i);
        }

        return i >= 0;
    }

    private static int IndexOf(List<byte[]> ids, ReadOnlySpan<byte> id)
    {
        for (int i = 0; i < ids.Count; i++)
        {
            if (id.SequenceEqual(ids[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private sealed class RunningRequest(byte[] id, long sinceMs)
    {
        public byte[] Id { get; } = id;
        public long SinceMs { get; } = sinceMs;
    }
}
