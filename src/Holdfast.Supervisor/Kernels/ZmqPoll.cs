using Holdfast.Protocol.Jupyter;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>zmq_poll as the loop's wait: descriptors and ZeroMQ sockets at once. The loop's items are laid out for it.</summary>
internal static unsafe class ZmqPoll
{
    public static int Poll(PollItem* items, int count, int timeoutMs) => Zmq.Poll((ZmqPollItem*)items, count, timeoutMs);
}
