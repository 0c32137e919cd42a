using System.Globalization;
using System.Runtime.InteropServices;

namespace Holdfast.Engine.Store;

/// <summary>
/// Whose a path is, and with what mode; a symbolic link is looked at, not followed. By statx(2), whose structure is the same on every
/// architecture.
/// </summary>
internal readonly partial record struct FileOwner(uint UserId, UnixFileMode Mode, bool IsDirectory)
{
    private const int AtCurrentDirectory = -100;
    private const int NoFollow = 0x100;
    private const uint BasicFields = 0x7ff;
    private const int TypeMask = 0xf000;
    private const int TypeDirectory = 0x4000;
    private const int TypeSocket = 0xc000;
    private const int TypeFile = 0x8000;
    private const int PermissionMask = 0xfff;

    public bool IsSocket { get; init; }

    /// <summary>A plain file, and no link to one.</summary>
    public bool IsFile { get; init; }

    /// <summary>For a message: <c>ann (uid 1000)</c>, or the number alone when /etc/passwd does not know it.</summary>
    public string Description
    {
        get
        {
            string uid = UserId.ToString(CultureInfo.InvariantCulture);
            string? line = File.Exists("/etc/passwd")
                ? File.ReadLines("/etc/passwd").FirstOrDefault(entry => entry.Split(':') is [_, _, var id, ..] && id == uid)
                : null;
            return line is null ? $"uid {uid}" : $"{line[..line.IndexOf(':', StringComparison.Ordinal)]} (uid {uid})";
        }
    }

    /// <summary>Null when there is nothing by that name, or it may not be looked at.</summary>
    public static FileOwner? Of(string path)
    {
        StatxResult result = default;
        if (Statx(AtCurrentDirectory, path, NoFollow, BasicFields, ref result) != 0)
        {
            return null;
        }

        return new FileOwner(result.UserId, (UnixFileMode)(result.Mode & PermissionMask), (result.Mode & TypeMask) == TypeDirectory)
        {
            IsSocket = (result.Mode & TypeMask) == TypeSocket,
            IsFile = (result.Mode & TypeMask) == TypeFile,
        };
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, ref StatxResult result);

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxResult
    {
        [FieldOffset(20)]
        public uint UserId;

        [FieldOffset(28)]
        public ushort Mode;
    }
}
