using System.Runtime.InteropServices;

namespace Holdfast.Supervisor;

/// <summary>The system calls only a supervisor makes. Thin: errno is left to the caller, names are the C names.</summary>
internal static unsafe partial class Posix
{
    private const string C = "libc";

    public const int Esrch = 3;
    public const int Echild = 10;
    public const int Eperm = 1;
    public const int Epipe = 32;

    public const int WaitNoHang = 1;
    public const int WaitExited = 4;
    public const int WaitLeaveThere = 0x01000000; // WNOWAIT
    public const int SubReaper = 36;
    public const int SetPipeSize = 1031;
    public const int GetFlags = 3;
    public const int SetFlags = 4;

    public const int UnixFamily = 1;
    public const int SocketStream = 1;
    public const int SocketNonBlock = 0x800;
    public const int SocketCloseOnExec = 0x80000;
    public const int SolSocket = 1;
    public const int PeerCredentials = 17;
    public const int SocketIsListening = 30;
    public const int NoSignal = 0x4000;
    public const int MoreToCome = 0x8000;
    public const int SeekEnd = 2;
    public const int DuplicateCloseOnExec = 1030; // F_DUPFD_CLOEXEC
    public const int OpenNoControllingTerminal = 0x100; // O_NOCTTY
    public const nuint SetWindowSize = 0x5414; // TIOCSWINSZ

    [StructLayout(LayoutKind.Sequential)]
    public struct PollFd
    {
        public int Fd;
        public short Events;
        public short Revents;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Credentials
    {
        public int Pid;
        public uint Uid;
        public uint Gid;
    }

    /// <summary>siginfo_t: 128 bytes of which nothing is read here.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct SignalDetails
    {
        private fixed long _all[16];
    }

    /// <summary>rusage of getrusage(2) on 64-bit Linux; only the first five fields are read.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ResourceUse
    {
        public long UserSeconds;
        public long UserMicroseconds;
        public long SystemSeconds;
        public long SystemMicroseconds;
        public long MaxRssKb;
        private fixed long _rest[13];

        public readonly long UserMs => (UserSeconds * 1000) + (UserMicroseconds / 1000);
        public readonly long SystemMs => (SystemSeconds * 1000) + (SystemMicroseconds / 1000);
    }

    [LibraryImport(C, EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollFd* items, nuint count, int timeoutMs);

    [LibraryImport(C, EntryPoint = "signalfd", SetLastError = true)]
    public static partial int SignalFd(int fd, byte* set, int flags);

    /// <summary>0, or an errno.</summary>
    [LibraryImport(C, EntryPoint = "pthread_sigmask")]
    public static partial int SignalMask(int how, byte* set, byte* before);

    [LibraryImport(C, EntryPoint = "sigemptyset")]
    public static partial int SignalSetEmpty(byte* set);

    [LibraryImport(C, EntryPoint = "sigaddset")]
    public static partial int SignalSetAdd(byte* set, int signal);

    [LibraryImport(C, EntryPoint = "sigismember")]
    public static partial int SignalIsIn(byte* set, int signal);

    [LibraryImport(C, EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint start, int flags);

    [LibraryImport(C, EntryPoint = "wait4", SetLastError = true)]
    public static partial int Wait4(int pid, int* status, int options, ResourceUse* use);

    [LibraryImport(C, EntryPoint = "waitid", SetLastError = true)]
    public static partial int WaitId(int kind, int id, SignalDetails* details, int options);

    [LibraryImport(C, EntryPoint = "getpgid", SetLastError = true)]
    public static partial int GetPgid(int pid);

    [LibraryImport(C, EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport(C, EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(int fd, byte* address, uint length);

    [LibraryImport(C, EntryPoint = "listen", SetLastError = true)]
    public static partial int Listen(int fd, int backlog);

    [LibraryImport(C, EntryPoint = "accept4", SetLastError = true)]
    public static partial int Accept4(int fd, byte* address, uint* length, int flags);

    [LibraryImport(C, EntryPoint = "getsockopt", SetLastError = true)]
    public static partial int GetSockOpt(int fd, int level, int option, void* value, uint* length);

    [LibraryImport(C, EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(int fd, byte* buffer, nuint count, int flags);

    [LibraryImport(C, EntryPoint = "sendfile", SetLastError = true)]
    public static partial nint SendFile(int to, int from, long* offset, nuint count);

    [LibraryImport(C, EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(int fd, long offset, int from);

    [LibraryImport(C, EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(int fd, nuint request, void* argument);

    [LibraryImport(C, EntryPoint = "posix_openpt", SetLastError = true)]
    public static partial int OpenPseudoTerminal(int flags);

    [LibraryImport(C, EntryPoint = "grantpt", SetLastError = true)]
    public static partial int GrantPseudoTerminal(int master);

    [LibraryImport(C, EntryPoint = "unlockpt", SetLastError = true)]
    public static partial int UnlockPseudoTerminal(int master);

    [LibraryImport(C, EntryPoint = "ptsname_r", SetLastError = true)]
    public static partial int PseudoTerminalName(int master, byte* name, nuint length);

    [LibraryImport(C, EntryPoint = "umask")]
    public static partial uint Umask(uint mask);

    [LibraryImport(C, EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport(C, EntryPoint = "chdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Chdir(string path);

    [LibraryImport(C, EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Access(string path, int mode);

    /// <summary>Ends the process without the runtime's shutdown.</summary>
    [LibraryImport(C, EntryPoint = "_exit")]
    public static partial void ExitNow(int status);

    [LibraryImport(C, EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int RemoveDirectory(string path);

    [LibraryImport(C, EntryPoint = "getxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint GetExtendedAttribute(string path, string name, void* value, nuint size);

    /// <summary>prlimit(2): sets both limits of another process, soft first.</summary>
    [LibraryImport(C, EntryPoint = "prlimit", SetLastError = true)]
    public static partial int SetResourceLimit(int pid, int resource, ulong* limits, ulong* before);

    /// <summary>On which processors a thread may run; 0 for the caller's own.</summary>
    [LibraryImport(C, EntryPoint = "sched_getaffinity", SetLastError = true)]
    public static partial int GetAffinity(int pid, nuint bytes, byte* mask);

    [LibraryImport(C, EntryPoint = "sched_setaffinity", SetLastError = true)]
    public static partial int SetAffinity(int pid, nuint bytes, byte* mask);

    [LibraryImport(C, EntryPoint = "nanosleep", SetLastError = true)]
    private static partial int NanoSleep(long* time, long* left);

    [LibraryImport(C, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, nint a, nint b, nint c, nint d);

    /// <summary>pidfd_send_signal: reaches the very process the descriptor was opened on, or nobody.</summary>
    public static int PidfdSendSignal(int pidfd, int signal) => (int)Syscall(424, pidfd, signal, 0, 0);

    /// <summary>getdents64 into <paramref name="buffer"/>; bytes written, 0 at the end, -1 and errno on failure.</summary>
    public static int GetDirectoryEntries(int fd, byte* buffer, int length) => (int)Syscall(217, fd, (nint)buffer, length, 0);

    public static void Sleep(int nanoseconds)
    {
        long* time = stackalloc long[2] { 0, nanoseconds };
        _ = NanoSleep(time, null);
    }

    public static void SetNonBlocking(int fd) =>
        _ = Protocol.Processes.Libc.Fcntl(
            fd,
            SetFlags,
            Protocol.Processes.Libc.OpenNonBlock | Protocol.Processes.Libc.Fcntl(fd, GetFlags, 0)
        );
}
