namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// Which requests the kernel is at, by its own busy and idle, and which of those to come are to be interrupted when it takes them up: so that the interrupt of one cell never hits the
/// next. Pure: sends nothing. What it remembers of requests that never come is bounded.
/// </summary>
internal sealed class InterruptTargets
{
    public const int WantedMax = 256;
    private readonly List<byte[]> _running = [];
    private readonly List<byte[]> _wanted = [];

    /// <summary>True when the kernel is at this request now; else it is remembered for when it is.</summary>
    public bool Want(ReadOnlySpan<byte> messageId)
    {
        if (IndexOf(_running, messageId) >= 0)
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

    /// <summary>The kernel has taken it up. True when it is to be interrupted.</summary>
    public bool NoteBusy(ReadOnlySpan<byte> messageId)
    {
        if (IndexOf(_running, messageId) < 0)
        {
            _running.Add(messageId.ToArray());
        }

        return Remove(_wanted, messageId);
    }

    /// <summary>It is over: its reply or its idle has come, or is waited for no more.</summary>
    public void NoteEnd(ReadOnlySpan<byte> messageId)
    {
        _ = Remove(_running, messageId);
        _ = Remove(_wanted, messageId);
    }

    private static bool Remove(List<byte[]> ids, ReadOnlySpan<byte> id)
    {
        int i = IndexOf(ids, id);
        if (i >= 0)
        {
            ids.RemoveAt(i);
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
}
