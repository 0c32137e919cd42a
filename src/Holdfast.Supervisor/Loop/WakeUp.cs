using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Loop;

/// <summary>An eventfd by which another thread calls the loop. <see cref="Signal"/> is the only member another thread may use.</summary>
internal sealed unsafe class WakeUp : IDisposable
{
    private readonly int _fd;
    private readonly PollRegistration _registration;

    public WakeUp(PollLoop loop, LoopCallback callback)
    {
        _fd = Posix.EventFd(0, Libc.OpenNonBlock | Libc.OpenCloseOnExec);
        if (_fd < 0)
        {
            throw Libc.Failure("eventfd", "");
        }

        _registration = loop.Add(
            _fd,
            PollEvents.Readable,
            happened =>
            {
                ulong count;
                _ = Libc.Read(_fd, &count, sizeof(ulong));
                callback();
            }
        );
    }

    public void Signal()
    {
        ulong one = 1;
        _ = Libc.Write(_fd, &one, sizeof(ulong));
    }

    /// <summary>The loop no longer listens; the other thread may still signal.</summary>
    public void Unregister() => _registration.Remove();

    /// <summary>By the loop's thread; or by the other one after <see cref="Unregister"/>.</summary>
    public void Dispose()
    {
        if (!_registration.IsRemoved)
        {
            _registration.Remove();
        }

        _ = Libc.Close(_fd);
    }
}
