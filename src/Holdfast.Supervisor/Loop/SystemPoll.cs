namespace Holdfast.Supervisor.Loop;

/// <summary>poll(2): knows descriptors only.</summary>
internal static unsafe class SystemPoll
{
    private const short In = 1;
    private const short Out = 4;

    public static int Poll(PollItem* items, int count, int timeoutMs)
    {
        Posix.PollFd* native = stackalloc Posix.PollFd[count];
        for (int i = 0; i < count; i++)
        {
            native[i] = new Posix.PollFd { Fd = items[i].Fd, Events = ToNative(items[i].Events) };
        }

        int news = Posix.Poll(native, (nuint)count, timeoutMs);
        for (int i = 0; i < count; i++)
        {
            items[i].Happened = news > 0 ? FromNative(native[i].Revents) : PollEvents.None;
        }

        return news;
    }

    private static short ToNative(PollEvents events) =>
        (short)(((events & PollEvents.Readable) != 0 ? In : 0) | ((events & PollEvents.Writable) != 0 ? Out : 0));

    private static PollEvents FromNative(short happened) =>
        ((happened & In) != 0 ? PollEvents.Readable : PollEvents.None)
        | ((happened & Out) != 0 ? PollEvents.Writable : PollEvents.None)
        | ((happened & ~(In | Out)) != 0 ? PollEvents.Error : PollEvents.None);
}
