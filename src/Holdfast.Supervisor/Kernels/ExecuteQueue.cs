namespace Holdfast.Supervisor.Kernels;

/// <summary>What became of a request that was offered.</summary>
internal enum ExecuteAnswer
{
    /// <summary>Waits for its turn.</summary>
    Queued,

    /// <summary>Its message id was accepted before: nothing is done, and that is right, for the server asks again when it does not
    /// know.</summary>
    Duplicate,

    /// <summary>Its group had failed before the server could know: never sent.</summary>
    Skipped,

    /// <summary>Past a limit: not accepted, may be offered again.</summary>
    Full,
}

/// <summary>
/// Which request goes to the kernel next. Pure: no socket, no clock, no journal.
/// 1. One request is at the kernel at a time. It is finished when both its reply and its idle have come, in whichever order: ipykernel
/// sends them from two threads.
/// 2. A reply without its idle is finished by <see cref="GiveUpIdle"/> when the caller has waited long enough; IOPub is lossy by design,
/// shell is not.
/// 3. An idle without its reply is waited for without end: either the reply comes or the kernel dies. Only an interrupt is known to swallow
/// replies, and then the caller makes one.
/// 4. An error reply to a request that stops on errors empties its group, and also closes it against requests that were already under
///    way when the error was journalled: a request tells how far its sender had read (position), and one that had not read the error is
///    skipped as well.
/// 5. In a cascade each request says which others it needs. Whether it has them is decided when its turn comes, so that what is skipped and
/// what runs come in the order of the plan; and a request that is skipped or taken out is as good as failed for those that need it.
/// </summary>
internal sealed class ExecuteQueue
{
    public const int RequestsMax = 10_000;
    public const long BytesMax = 512L * 1024 * 1024;

    // Enough that no server asks again about something older; a bound, because a kernel may live for a year.
    private const int RememberedMax = 200_000;
    private const int FailedGroupsMax = 1_000;

    private readonly List<QueuedExecute> _waiting = [];
    private readonly HashSet<string> _accepted = new(StringComparer.Ordinal);
    private readonly Queue<string> _acceptedInOrder = new();
    private readonly HashSet<string> _unmet = new(StringComparer.Ordinal); // Of the accepted: what did not end well.
    private readonly List<FailedGroup> _failedGroups = [];
    private long _waitingBytes;

    /// <summary>The request at the kernel; null when it has none of ours.</summary>
    public QueuedExecute? Current { get; private set; }

    public bool HasReply { get; private set; }
    public bool HasIdle { get; private set; }
    public int WaitingCount => _waiting.Count;

    /// <summary>True when the request at the kernel is answered in full.</summary>
    public bool IsCurrentFinished => Current is not null && HasReply && HasIdle;

    public ExecuteAnswer Offer(QueuedExecute request, long position)
    {
        if (_accepted.Contains(request.MessageId))
        {
            return ExecuteAnswer.Duplicate;
        }

        if (_waiting.Count >= RequestsMax || _waitingBytes + request.Body.Length > BytesMax)
        {
            return ExecuteAnswer.Full;
        }

        Remember(request.MessageId);
        if (request.Group is not null && FindFailed(request.Group) is { } failed && position < failed.Position)
        {
            _ = _unmet.Add(request.MessageId);
            return ExecuteAnswer.Skipped;
        }

        _waiting.Add(request);
        _waitingBytes += request.Body.Length;
        return ExecuteAnswer.Queued;
    }

    /// <summary>The request to send now, which is <see cref="Current"/> from here on; null while one is at the kernel or none
    /// waits.</summary>
    public QueuedExecute? TakeNext()
    {
        if (Current is not null || _waiting.Count == 0)
        {
            return null;
        }

        Current = _waiting[0];
        RemoveAt(0);
        HasReply = false;
        HasIdle = false;
        return Current;
    }

    /// <summary>
    /// Takes out the request whose turn it is when it needs one that did not end well, which is given, too; null when it may run.
    /// </summary>
    public QueuedExecute? TakeBlocked(out string? upstream)
    {
        upstream = null;
        if (Current is not null || _waiting.Count == 0 || _waiting[0].After is not { } after)
        {
            return null;
        }

        foreach (string needed in after)
        {
            if (_unmet.Contains(needed))
            {
                upstream = needed;
                QueuedExecute blocked = _waiting[0];
                RemoveAt(0);
                _ = _unmet.Add(blocked.MessageId);
                return blocked;
            }
        }

        return null;
    }

    /// <summary>True when it was not known: it will be a duplicate when it comes.</summary>
    public bool Forbid(string messageId)
    {
        if (_accepted.Contains(messageId))
        {
            return false;
        }

        Remember(messageId);
        _ = _unmet.Add(messageId);
        return true;
    }

    public bool IsCurrent(ReadOnlySpan<byte> messageId) => Current is not null && messageId.SequenceEqual(Current.MessageIdUtf8);

    /// <summary>The reply came and is journalled at <paramref name="position"/>. Gives what is dropped with it, in order; each is owed a
    /// skipped event.</summary>
    public IReadOnlyList<QueuedExecute> NoteReply(bool isError, long position)
    {
        HasReply = true;
        if (!isError || Current is not { StopOnError: true })
        {
            return [];
        }

        _ = _unmet.Add(Current.MessageId);
        return Current is { After: null, Group: { } group } ? CloseGroup(group, position) : [];
    }

    /// <summary>
    /// The request at the kernel is interrupted at <paramref name="position"/>, which ends the cascade that it is of. Gives what is dropped
    /// with it.
    /// </summary>
    public IReadOnlyList<QueuedExecute> NoteInterrupt(long position) =>
        Current is { After: not null, Group: { } group } ? CloseGroup(group, position) : [];

    private IReadOnlyList<QueuedExecute> CloseGroup(string group, long position)
    {
        if (FindFailed(group) is { } known)
        {
            _ = _failedGroups.Remove(known);
        }
        else if (_failedGroups.Count == FailedGroupsMax)
        {
            _failedGroups.RemoveAt(0);
        }

        _failedGroups.Add(new FailedGroup(group, position));
        return Remove(messageId: null, group);
    }

    public void NoteIdle() => HasIdle = true;

    /// <summary>Its idle was waited for long enough.</summary>
    public void GiveUpIdle() => HasIdle = true;

    /// <summary>Makes room for the next one.</summary>
    public void Finish() => Current = null;

    /// <summary>Takes one request, or all of a group, out of the queue; what is at the kernel stays there.</summary>
    public IReadOnlyList<QueuedExecute> Remove(string? messageId, string? group)
    {
        var removed = new List<QueuedExecute>();
        for (int i = 0; i < _waiting.Count; )
        {
            QueuedExecute request = _waiting[i];
            if ((messageId is not null && request.MessageId == messageId) || (group is not null && request.Group == group))
            {
                removed.Add(request);
                _ = _unmet.Add(request.MessageId);
                RemoveAt(i);
            }
            else
            {
                i++;
            }
        }

        return removed;
    }

    /// <summary>Takes out everything that waits.</summary>
    public IReadOnlyList<QueuedExecute> RemoveAll()
    {
        QueuedExecute[] removed = _waiting.ToArray();
        _waiting.Clear();
        _waitingBytes = 0;
        return removed;
    }

    private void RemoveAt(int index)
    {
        _waitingBytes -= _waiting[index].Body.Length;
        _waiting.RemoveAt(index);
    }

    private void Remember(string messageId)
    {
        if (_acceptedInOrder.Count == RememberedMax)
        {
            string oldest = _acceptedInOrder.Dequeue();
            _ = _accepted.Remove(oldest);
            _ = _unmet.Remove(oldest);
        }

        _ = _accepted.Add(messageId);
        _acceptedInOrder.Enqueue(messageId);
    }

    private FailedGroup? FindFailed(string group)
    {
        foreach (FailedGroup failed in _failedGroups)
        {
            if (failed.Name == group)
            {
                return failed;
            }
        }

        return null;
    }

    private sealed class FailedGroup(string name, long position)
    {
        public string Name { get; } = name;
        public long Position { get; } = position;
    }
}
