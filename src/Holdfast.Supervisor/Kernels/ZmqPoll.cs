using Holdfast.Protocol.Jupyter;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// The loop's wait for descriptors and ZeroMQ sockets at once. zmq_poll does the same by asking every socket twice at every turn, some
/// fifty system calls per cell; here a socket is asked
/// 1. when it was used since it was last asked, for then its descriptor is silent about what has come; 2. when its descriptor has news.
/// </summary>
internal static unsafe class ZmqPoll
{
    public static int Poll(PollItem* items, int count, int timeoutMs)
    {
        PollEvents* asked = stackalloc PollEvents[count];
        int news = 0;
        for (int i = 0; i < count; i++)
        {
            asked[i] = items[i].Socket != 0 && items[i].IsUnsure ? Ask(items[i]) : PollEvents.None;
            news += asked[i] == PollEvents.None ? 0 : 1;
        }

        int polled = SystemPoll.Poll(items, count, news > 0 ? 0 : timeoutMs);
        if (polled < 0 && news == 0)
        {
            return polled;
        }

        news = 0;
        for (int i = 0; i < count; i++)
        {
            if (asked[i] != PollEvents.None)
            {
                items[i].Happened = asked[i];
            }
            else if (items[i].Socket != 0 && items[i].Happened != PollEvents.None)
            {
                items[i].Happened = Ask(items[i]);
            }

            news += items[i].Happened == PollEvents.None ? 0 : 1;
        }

        return news;
    }

    /// <summary>What a socket has for us; asking makes it take note of everything that its descriptor has told.</summary>
    private static PollEvents Ask(in PollItem item)
    {
        int events = Zmq.GetOption(item.Socket, Zmq.OptionEvents);
        return item.Events
            & (
                ((events & Zmq.PollIn) != 0 ? PollEvents.Readable : PollEvents.None)
                | ((events & Zmq.PollOut) != 0 ? PollEvents.Writable : PollEvents.None)
            );
    }
}
