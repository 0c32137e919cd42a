using System.Runtime.InteropServices;

namespace Holdfast.Supervisor.Loop;

/// <summary>What to wait for and what happened.</summary>
[Flags]
internal enum PollEvents : short
{
    None = 0,
    Readable = 1,
    Writable = 2,

    /// <summary>Never asked for, always told: a hang-up or an error, to be found out by reading or writing.</summary>
    Error = 4,
}

/// <summary>One thing to wait for.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollItem
{
    /// <summary>A ZMQ socket, or 0 for a descriptor.</summary>
    public nint Socket;

    /// <summary>The descriptor; of a ZMQ socket the one that tells that there may be news.</summary>
    public int Fd;

    /// <summary>
    /// Of a ZMQ socket: its descriptor may be silent although there is news; see <see cref="PollRegistration.IsUnsure"/>.
    /// </summary>
    public bool IsUnsure;

    public PollEvents Events;
    public PollEvents Happened;
}

/// <summary>
/// poll(2), or what does the same for ZMQ sockets too: fills <see cref="PollItem.Happened"/>; the count of items with news, or -1 and
/// errno.
/// </summary>
internal unsafe delegate int PollCall(PollItem* items, int count, int timeoutMs);

/// <summary>Called from the loop when something registered has news.</summary>
internal delegate void PollCallback(PollEvents happened);

/// <summary>Called from the loop when a timer is due, or when a batch of events has been handled.</summary>
internal delegate void LoopCallback();
