using System.Runtime.InteropServices;

namespace Holdfast.Engine.Contents;

/// <summary>What kind of thing a name stands for.</summary>
internal enum EntryKind
{
    Other,
    File,
    Folder,
    Link,
}

/// <summary>What statx says of a directory entry itself, links not followed. Times are nanoseconds since 1970.</summary>
internal readonly partial record struct EntryStatus(
    EntryKind Kind,
    ulong Device,
    ulong Inode,
    long Size,
    long ModifiedNanoseconds,
    long ChangedNanoseconds
)
{
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const uint BasicStats = 0x7FF;

    /// <summary>Null if there is nothing, or nothing that may be seen.</summary>
    public static EntryStatus? Of(string path) => Of(CurrentDirectory, path, NoFollow);

    /// <summary>Of an open file.</summary>
    public static EntryStatus Of(SafeHandle file) => Of((int)file.DangerousGetHandle(), "", EmptyPath) ?? default;

    private static unsafe EntryStatus? Of(int directory, string path, int flags)
    {
        byte* buffer = stackalloc byte[256]; // struct statx, offsets from include/uapi/linux/stat.h
        if (Statx(directory, path, flags, BasicStats, buffer) != 0)
        {
            return null;
        }

        return new EntryStatus(
            (*(ushort*)(buffer + 28) & 0xF000) switch
            {
                0x8000 => EntryKind.File,
                0x4000 => EntryKind.Folder,
                0xA000 => EntryKind.Link,
                _ => EntryKind.Other,
            },
            ((ulong)*(uint*)(buffer + 136) << 32) | *(uint*)(buffer + 140),
            *(ulong*)(buffer + 32),
            *(long*)(buffer + 40),
            Nanoseconds(buffer + 112),
            Nanoseconds(buffer + 96)
        );
    }

    private static unsafe long Nanoseconds(byte* timestamp) => (*(long*)timestamp * 1_000_000_000) + *(uint*)(timestamp + 8);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int directory, string path, int flags, uint mask, byte* buffer);
}
