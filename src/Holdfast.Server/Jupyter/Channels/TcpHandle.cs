using System.Net.Sockets;
using System.Runtime.InteropServices;
using Holdfast.Protocol.Processes;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// A handle of our own on a client's TCP connection. It sends in two steps, so that what must be done between "the system has it" and "the
/// client sees it" can be; and it asks the system how far the connection has got, also when the web server has closed it.
/// </summary>
internal sealed unsafe partial class TcpHandle : IDisposable
{
    private const int DuplicateCloseOnExec = 1030; // F_DUPFD_CLOEXEC
    private const int LevelTcp = 6;
    private const int OptionInfo = 11; // TCP_INFO
    private const int OptionNoDelay = 1; // TCP_NODELAY
    private const int OptionUnsentMax = 25; // TCP_NOTSENT_LOWAT

    /// <summary>
    /// What the system keeps for a client beyond what is on its way: for one that stands still it would take megabytes, each message as
    /// dear as one that is read. A far client's window is not made smaller by it.
    /// </summary>
    private const int UnsentBytesMax = 256 * 1024;

    private const int MoreToCome = 0x8000; // MSG_MORE
    private const int NoSignal = 0x4000; // MSG_NOSIGNAL
    private const int DoNotWait = 0x40; // MSG_DONTWAIT
    private const int BytesAckedAt = 120; // struct tcp_info: tcpi_bytes_acked
    private const nuint OutQueue = 0x5411; // SIOCOUTQ

    private readonly int _fd;

    private TcpHandle(int fd) => _fd = fd;

    /// <summary>Null where the system does not tell.</summary>
    public static TcpHandle? Of(Socket socket)
    {
        int fd = Libc.Fcntl((int)socket.SafeHandle.DangerousGetHandle(), DuplicateCloseOnExec, 0);
        if (fd < 0)
        {
            return null;
        }

        var tcp = new TcpHandle(fd);
        if (tcp.Acknowledged() >= 0)
        {
            int most = UnsentBytesMax;
            _ = SetSocketOption(fd, LevelTcp, OptionUnsentMax, &most, sizeof(int));
            return tcp;
        }

        tcp.Dispose();
        return null;
    }

    /// <summary>
    /// Hands over what the system takes at once; how much that was. Less than a full segment is held back until <see cref="Push"/>, or
    /// until this process ends, however it ends: the close sends it.
    /// </summary>
    public int Hand(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return (int)Math.Max(0, Send(_fd, start, (nuint)bytes.Length, MoreToCome | NoSignal | DoNotWait));
        }
    }

    /// <summary>What was handed over and held back goes on its way.</summary>
    public void Push()
    {
        int on = 1;
        _ = SetSocketOption(_fd, LevelTcp, OptionNoDelay, &on, sizeof(int));
    }

    /// <summary>Bytes the peer has acknowledged since the connection began; negative where the system does not tell.</summary>
    public long Acknowledged()
    {
        byte* info = stackalloc byte[256];
        int length = 256;
        return GetSocketOption(_fd, LevelTcp, OptionInfo, info, &length) == 0 && length >= BytesAckedAt + 8
            ? *(long*)(info + BytesAckedAt)
            : -1;
    }

    /// <summary>
    /// Bytes the system has taken over since the connection began: it will deliver them whatever becomes of this process.
    /// </summary>
    public long Taken()
    {
        int queued = 0;
        _ = Control(_fd, OutQueue, &queued);
        return Acknowledged() + queued;
    }

    public void Dispose() => _ = Libc.Close(_fd);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetSocketOption(int fd, int level, int option, byte* value, int* length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetSocketOption(int fd, int level, int option, int* value, int length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(int fd, byte* bytes, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int fd, nuint request, int* value);
}
