using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Protocol.Processes;

/// <summary>
/// What statx says of a file: owner, mode, and the four things that together tell whether it is still the same content
/// (device, inode, size, modification time). .NET offers neither owner nor inode.
/// </summary>
public readonly partial record struct FileStatus(
    uint UserId,
    uint GroupId,
    UnixFileMode Mode,
    ulong Device,
    ulong Inode,
    long Size,
    long ModifiedNanoseconds
)
{
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const uint BasicStats = 0x7FF;
    private const int PermissionBits = 0xFFF;
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH: the descriptor itself
    private const uint TypeOnly = 1;
    private const int TypeBits = 0xF000;
    private const int PlainType = 0x8000;

    /// <summary>
    /// The status of what the path leads to, symbolic links followed; null if there is nothing there or it may not be seen.
    /// </summary>
    public static FileStatus? Of(string path) => Of(CurrentDirectory, path, 0);

    /// <summary>The status of an open file, whatever its name leads to by now.</summary>
    public static FileStatus? Of(SafeFileHandle file) => Of((int)file.DangerousGetHandle(), "", EmptyPath);

    private static unsafe FileStatus? Of(int directory, string path, int flags)
    {
        // struct statx is the same on every architecture, unlike struct stat: 256 bytes, offsets from include/uapi/linux/stat.h.
        byte* buffer = stackalloc byte[256];
        if (Statx(directory, path, flags, BasicStats, buffer) != 0)
        {
            return null;
        }

        return new FileStatus(
            *(uint*)(buffer + 20),
            *(uint*)(buffer + 24),
            (UnixFileMode)(*(ushort*)(buffer + 28) & PermissionBits),
            ((ulong)*(uint*)(buffer + 136) << 32) | *(uint*)(buffer + 140),
            *(ulong*)(buffer + 32),
            *(long*)(buffer + 40),
            (*(long*)(buffer + 112) * 1_000_000_000) + *(uint*)(buffer + 120)
        );
    }

    /// <summary>Whether an open file is a plain one: no folder, FIFO, socket or device.</summary>
    internal static unsafe bool IsPlain(int fd)
    {
        byte* buffer = stackalloc byte[256];
        return Statx(fd, "", EmptyPath, TypeOnly, buffer) == 0 && (*(ushort*)(buffer + 28) & TypeBits) == PlainType;
    }

    /// <summary>Gives an open file this owner and group, or the group alone, as far as we may; what we may not do is left undone.</summary>
    public void ApplyOwner(SafeHandle file)
    {
        if (Fchown(file, UserId, GroupId) != 0)
        {
            _ = Fchown(file, uint.MaxValue, GroupId);
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int directory, string path, int flags, uint mask, byte* buffer);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    private static partial int Fchown(SafeHandle file, uint userId, uint groupId);
}
