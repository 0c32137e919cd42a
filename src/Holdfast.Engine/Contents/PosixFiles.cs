using System.Runtime.InteropServices;
using Holdfast.Protocol.Processes;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Engine.Contents;

/// <summary>
/// The file calls that .NET does not have and that keep a path within its root: opening relative to a folder without following links,
/// renaming without replacing.
/// </summary>
internal static unsafe partial class PosixFiles
{
    private const string C = "libc";
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const int NoReplace = 1; // RENAME_NOREPLACE
    private const int Exchanging = 2; // RENAME_EXCHANGE
    private const int MayWrite = 2; // W_OK
    private const int PathOnly = 0x200000; // O_PATH
    private const int PathMax = 4096;

    public const int NoEntry = 2;
    public const int CrossDevice = 18;
    public const int NotDirectory = 20;
    public const int Invalid = 22;
    public const int NameTooLong = 36;

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;
    private static readonly int NoFollow = IsArm ? 0x8000 : 0x20000; // O_NOFOLLOW
    private static readonly int Folder = IsArm ? 0x4000 : Libc.OpenDirectory;

    /// <summary>A folder, to find things from; null when it is not there, not a folder, or a link.</summary>
    public static SafeFileHandle? OpenFolder(SafeFileHandle? parent, string name)
    {
        int from = parent is null ? CurrentDirectory : (int)parent.DangerousGetHandle();
        int fd = OpenAt(from, name, PathOnly | Folder | NoFollow | Libc.OpenCloseOnExec, 0);
        return fd < 0 ? null : new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>A file for reading, never through a link, and never waiting for the other end of a pipe.</summary>
    public static SafeFileHandle? OpenFile(string path)
    {
        int fd = OpenAt(CurrentDirectory, path, Libc.OpenReadOnly | NoFollow | Libc.OpenNonBlock | Libc.OpenCloseOnExec, 0);
        return fd < 0 ? null : new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>The path with every link followed; null, with errno set, when there is nothing.</summary>
    public static string? RealPath(string path)
    {
        byte* resolved = stackalloc byte[PathMax];
        return RealPath(path, resolved) is null ? null : Marshal.PtrToStringUTF8((nint)resolved);
    }

    public static bool IsWritable(string path) => Access(path, MayWrite) == 0;

    /// <summary>0, or the errno. Where the file system cannot rename without replacing, a look comes before.</summary>
    public static int RenameNew(string from, string to)
    {
        if (RenameAt(CurrentDirectory, from, CurrentDirectory, to, NoReplace) == 0)
        {
            return 0;
        }

        int errno = Libc.Errno;
        if (errno != Invalid || EntryStatus.Of(to) is not null)
        {
            return errno;
        }

        return Libc.Rename(from, to) == 0 ? 0 : Libc.Errno;
    }

    /// <summary>
    /// Lets two names of one folder change places, in one step; false where the file system cannot, or one of them is not there.
    /// </summary>
    public static bool Exchange(string one, string other) => RenameAt(CurrentDirectory, one, CurrentDirectory, other, Exchanging) == 0;

    [LibraryImport(C, EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAt(int directory, string path, int flags, int mode);

    [LibraryImport(C, EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* RealPath(string path, byte* resolved);

    [LibraryImport(C, EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    [LibraryImport(C, EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt(int fromDirectory, string from, int toDirectory, string to, uint flags);
}
