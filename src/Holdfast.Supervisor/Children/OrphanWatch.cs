using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// Says when a child has ended that nobody here has a pidfd of: an orphan that came up to us. By SIGCHLD on a descriptor, so that nothing
/// is looked for while nothing ends.
/// </summary>
/// <remarks>
/// Blocked in every thread, or one that does not block it takes it and throws it away: so it has to be blocked by whoever starts this
/// process, before the runtime makes threads of its own. In a process that was started otherwise, by hand, nothing is watched, and orphans
/// are reaped when the child is.
/// </remarks>
internal sealed unsafe class OrphanWatch : IDisposable
{
    private const int SetBytes = 128; // sigset_t
    private const int DetailsBytes = 128; // struct signalfd_siginfo
    private readonly int _fd = -1;
    private readonly PollRegistration? _registration;

    public OrphanWatch(PollLoop loop, LoopCallback ended)
    {
        byte* blocked = stackalloc byte[SetBytes];
        if (Posix.SignalMask(0, null, blocked) != 0 || Posix.SignalIsIn(blocked, Libc.SigChld) != 1)
        {
            return;
        }

        byte* wanted = stackalloc byte[SetBytes];
        _ = Posix.SignalSetEmpty(wanted);
        _ = Posix.SignalSetAdd(wanted, Libc.SigChld);
        _fd = Posix.SignalFd(-1, wanted, Libc.OpenNonBlock | Libc.OpenCloseOnExec);
        if (_fd < 0)
        {
            throw Libc.Failure("signalfd", "SIGCHLD");
        }

        _registration = loop.Add(
            _fd,
            PollEvents.Readable,
            happened =>
            {
                // However many have ended, the signal is pending once: taken first, so that one that ends during the reaping is told of
                // again.
                byte* details = stackalloc byte[DetailsBytes];
                _ = Libc.Read(_fd, details, DetailsBytes);
                ended();
            }
        );
    }

    public void Dispose()
    {
        if (_registration is not null)
        {
            _registration.Remove();
            _ = Libc.Close(_fd);
        }
    }
}
