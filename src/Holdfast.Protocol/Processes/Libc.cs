using System.Runtime.InteropServices;

namespace Holdfast.Protocol.Processes;

/// <summary>The system calls that both sides need. Thin: errno is left to the caller, names are the C names.</summary>
public static unsafe partial class Libc
{
    private const string C = "libc";

    public const int Eintr = 4;
    public const int Eio = 5;
    public const int Eagain = 11;
    public const int Eexist = 17;
    public const int Eisdir = 21;
    public const int Enospc = 28;
    public const int Edquot = 122;

    public const int LockShared = 1;
    public const int LockExclusive = 2;
    public const int LockNonBlocking = 4;
    public const int LockNone = 8;
    public const int SigHup = 1;
    public const int SigInt = 2;
    public const int SigQuit = 3;
    public const int SigKill = 9;
    public const int SigPipe = 13;
    public const int SigTerm = 15;
    public const int SigChld = 17;
    public const int SigCont = 18;
    public const int SigStop = 19;

    public const int OpenReadOnly = 0;
    public const int AdviseDontNeed = 4;
    public const int OpenReadWrite = 2;
    public const int OpenCreate = 0x40;
    public const int OpenExclusive = 0x80;
    public const int OpenTruncate = 0x200;
    public const int OpenAppend = 0x400;
    public const int OpenNonBlock = 0x800;
    public const int OpenDirectory = 0x10000;
    public const int OpenCloseOnExec = 0x80000;

    /// <summary>The mode 0600.</summary>
    public const int OwnerReadWrite = 0x180;

    /// <summary>The mode 0700.</summary>
    public const int OwnerAll = 0x1C0;

    [LibraryImport(C, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport(C, EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    [LibraryImport(C, EntryPoint = "fsync", SetLastError = true)]
    public static partial int Fsync(int fd);

    [LibraryImport(C, EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int Fdatasync(int fd);

    [LibraryImport(C, EntryPoint = "flock", SetLastError = true)]
    public static partial int Flock(int fd, int operation);

    [LibraryImport(C, EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport(C, EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport(C, EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int fd, void* buffer, nuint count);

    [LibraryImport(C, EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int fd, void* buffer, nuint count);

    [LibraryImport(C, EntryPoint = "pread", SetLastError = true)]
    public static partial nint PRead(int fd, void* buffer, nuint count, long offset);

    [LibraryImport(C, EntryPoint = "pwritev", SetLastError = true)]
    public static partial nint PWriteV(int fd, IoVector* vectors, int count, long offset);

    [LibraryImport(C, EntryPoint = "posix_fadvise")]
    public static partial int FileAdvise(int fd, long offset, long length, int advice);

    [LibraryImport(C, EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mkdir(string path, int mode);

    [LibraryImport(C, EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Ftruncate(int fd, long length);

    [LibraryImport(C, EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport(C, EntryPoint = "setsid", SetLastError = true)]
    public static partial int Setsid();

    [LibraryImport(C, EntryPoint = "getppid")]
    public static partial int GetParentPid();

    [LibraryImport(C, EntryPoint = "getuid")]
    public static partial uint GetUid();

    [LibraryImport(C, EntryPoint = "dup2", SetLastError = true)]
    public static partial int Dup2(int from, int to);

    [LibraryImport(C, EntryPoint = "pipe2", SetLastError = true)]
    public static partial int Pipe2(int* fds, int flags);

    [LibraryImport(C, EntryPoint = "socketpair", SetLastError = true)]
    public static partial int SocketPair(int domain, int type, int protocol, int* fds);

    [LibraryImport(C, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Fcntl(int fd, int command, nint argument);

    [LibraryImport(C, EntryPoint = "prctl", SetLastError = true)]
    public static partial int Prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport(C, EntryPoint = "signal", SetLastError = true)]
    public static partial nint Signal(int signal, nint handler);

    /// <summary>wait4 with no rusage; status as the kernel encodes it (see <see cref="WaitStatus"/>).</summary>
    [LibraryImport(C, EntryPoint = "waitpid", SetLastError = true)]
    public static partial int WaitPid(int pid, int* status, int options);

    [LibraryImport(C, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, nint a, nint b);

    /// <summary>pidfd_open; the descriptor becomes readable when the process ends. -1 and errno on failure.</summary>
    public static int PidfdOpen(int pid) => (int)Syscall(434, pid, 0);

    /// <summary>The last errno, for messages and decisions right after a failed call.</summary>
    public static int Errno => Marshal.GetLastPInvokeError();

    /// <summary>An IOException that names the call, the subject and the errno's text.</summary>
    public static IOException Failure(string call, string subject)
    {
        int errno = Marshal.GetLastPInvokeError();
        return new IOException($"{call} {subject}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})", errno);
    }
}
