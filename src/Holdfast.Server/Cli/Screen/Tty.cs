using System.Runtime.InteropServices;

namespace Holdfast.Server.Cli.Screen;

/// <summary>What the C library knows about terminals and readiness.</summary>
internal static unsafe partial class Tty
{
    private const nuint GetWindowSize = 0x5413; // TIOCGWINSZ
    private const int AfterOutput = 1; // TCSADRAIN
    private const int ModesBytes = 256; // More than any C library's struct termios, which only the library looks into.
    private const short PollIn = 1;
    private const short PollOut = 4;

    public static bool IsTerminal(int fd) => IsATty(fd) == 1;

    /// <summary>Null when the descriptor is no terminal, or one that does not know its size.</summary>
    public static (int Rows, int Columns)? Size(int fd)
    {
        ushort* size = stackalloc ushort[4];
        return Ioctl(fd, GetWindowSize, size) == 0 && size[1] > 0 ? (size[0], size[1]) : null;
    }

    /// <summary>The terminal's modes as they were, once it hands every key on at once and as it is; null when it is no terminal.</summary>
    public static byte[]? MakeRaw(int fd)
    {
        byte[] before = new byte[ModesBytes];
        byte* modes = stackalloc byte[ModesBytes];
        if (GetModes(fd, modes) != 0)
        {
            return null;
        }

        new ReadOnlySpan<byte>(modes, ModesBytes).CopyTo(before);
        CfMakeRaw(modes);
        return SetModes(fd, AfterOutput, modes) == 0 ? before : null;
    }

    public static void Restore(int fd, byte[] before)
    {
        fixed (byte* modes = before)
        {
            _ = SetModes(fd, AfterOutput, modes);
        }
    }

    /// <summary>Blocks until the descriptor can be read, or the time is up; -1 waits for ever. True when it can.</summary>
    public static bool WaitReadable(int fd, int timeoutMs) => Wait(fd, PollIn, timeoutMs);

    public static bool WaitWritable(int fd) => Wait(fd, PollOut, -1);

    private static bool Wait(int fd, short events, int timeoutMs)
    {
        var item = new PollItem { Fd = fd, Events = events };
        return Poll(&item, 1, timeoutMs) > 0;
    }

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsATty(int fd);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Ioctl(int fd, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int GetModes(int fd, byte* modes);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int SetModes(int fd, int when, byte* modes);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    private static partial void CfMakeRaw(byte* modes);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(PollItem* items, nuint count, int timeoutMs);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollItem
    {
        public int Fd;
        public short Events;
        public short Returned;
    }
}
