using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// A kernel's execution state and last activity as Jupyter's clients know them, from its IOPub messages. 1. It is starting until the first
/// status that says something else; then it is idle. 2. Only a status whose parent is a tracked request changes it: asking a kernel about
/// itself does not make it busy, nor does what its supervisor has it do. 3. It is busy while any tracked request is, since the messages of
/// several requests (subshells) interleave. 4. Any tracked message is activity, and anything at all is while it is busy. Written by one
/// loop, read from anywhere.
/// </summary>
internal sealed class KernelActivity
{
    public const string Starting = "starting";
    public const string Idle = "idle";
    public const string Busy = "busy";
    public const string Dead = "dead";

    // jupyter_server's own list: requests about the kernel, the replies to them, and what a request that is tracked by its parent says.
    private static readonly HashSet<string> Untracked =
    [
        "comm_info_request",
        "comm_info_reply",
        "kernel_info_request",
        "kernel_info_reply",
        "shutdown_request",
        "shutdown_reply",
        "interrupt_request",
        "interrupt_reply",
        "debug_request",
        "debug_reply",
        "debug_event",
        "stream",
        "display_data",
        "update_display_data",
        "execute_input",
        "execute_result",
        "error",
        "status",
        "clear_output",
        "input_request",
        "input_reply",
    ];

    private readonly Dictionary<string, long> _busyWith = []; // By request, where its busy status stands.
    private volatile string _state;
    private long _lastActivityAt;

    /// <summary>For an incarnation that is read from its beginning, or, when it was ready before, from later on.</summary>
    public KernelActivity(bool isKnownReady) => _state = isKnownReady ? Idle : Starting;

    public string ExecutionState => _state;

    public bool IsBusy => _state == Busy;

    /// <summary>Microseconds since 1970; 0 while nothing was heard.</summary>
    public long LastActivityAt => Volatile.Read(ref _lastActivityAt);

    /// <summary>Where the oldest request stands that the kernel is busy with.</summary>
    public long OldestPosition => _busyWith.Count == 0 ? long.MaxValue : _busyWith.Values.Min();

    public void Take(in KernelMessage message)
    {
        if (message.Channel != JournalChannel.IoPub)
        {
            return;
        }

        string type = message.Message.MessageType;
        string parentType = message.Message.ParentMessageType;
        bool isParentTracked = !Untracked.Contains(parentType);
        if (isParentTracked || IsBusy || !Untracked.Contains(type))
        {
            Volatile.Write(ref _lastActivityAt, UnixTime.FromNanoseconds(message.UnixNanoseconds));
        }

        if (type == "status")
        {
            string parent = message.Message.ParentMessageId;
            TakeStatus(message.Message.ExecutionState, parent, isParentTracked && !SupervisorRequest.Is(parent), message.Position);
        }
    }

    /// <summary>The idle of this request will not come any more.</summary>
    public void GiveUp(string parent)
    {
        if (_busyWith.Remove(parent))
        {
            _state = _busyWith.Count > 0 ? Busy : Idle;
        }
    }

    public void End()
    {
        _busyWith.Clear();
        _state = Dead;
    }

    private void TakeStatus(string? status, string parent, bool isParentTracked, long position)
    {
        if (status is null or Starting)
        {
            return;
        }

        if (isParentTracked && status == Busy)
        {
            _busyWith.TryAdd(parent, position);
        }
        else if (isParentTracked)
        {
            _busyWith.Remove(parent);
        }

        _state = _busyWith.Count > 0 ? Busy : Idle;
    }
}
