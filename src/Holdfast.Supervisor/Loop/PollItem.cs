using System.Runtime.InteropServices;

namespace Holdfast.Supervisor.Loop;

/// <summary>What to wait for and what happened; the numbers are libzmq's.</summary>
[Flags]
public enum PollEvents : short
{
    None = 0,
    Readable = 1,
    Writable = 2,

    /// <summary>Never asked for, always told: a hang-up or an error, to be found out by reading or writing.</summary>
    Error = 4,
}

/// <summary>Laid out as libzmq's zmq_pollitem_t, so that a kernel's supervisor can hand the same array to zmq_poll.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PollItem
{
    /// <summary>A ZMQ socket, or 0 for a descriptor.</summary>
    public nint Socket;

    public int Fd;
    public PollEvents Events;
    public PollEvents Happened;
}

/// <summary>poll(2) or zmq_poll: fills <see cref="PollItem.Happened"/>; the count of items with news, or -1 and errno.</summary>
public unsafe delegate int PollCall(PollItem* items, int count, int timeoutMs);

/// <summary>Called from the loop when something registered has news.</summary>
public delegate void PollCallback(PollEvents happened);

/// <summary>Called from the loop when a timer is due, or when a batch of events has been handled.</summary>
public delegate void LoopCallback();
