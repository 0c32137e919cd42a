using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Link;

/// <summary>The few socket calls of the link's server, without System.Net.Sockets and the threads it brings.</summary>
internal static unsafe class UnixSocket
{
    /// <summary>sun_path holds 108 bytes with its final zero.</summary>
    public const int PathBytesMax = 107;

    private const int Backlog = 64;
    private const uint OthersNothing = 0x7F; // 0177: the socket is born 0600

    /// <summary>Listens at a path; whatever lies there is a dead supervisor's socket, for the attempt's lock is ours.</summary>
    public static int Listen(string path)
    {
        byte* address = stackalloc byte[2 + PathBytesMax + 1];
        new Span<byte>(address, 2 + PathBytesMax + 1).Clear();
        int length = Encoding.UTF8.GetByteCount(path);
        if (length > PathBytesMax)
        {
            throw new IOException($"The socket path {path} takes {length} bytes; the system allows {PathBytesMax}.");
        }

        *(ushort*)address = Posix.UnixFamily;
        Encoding.UTF8.GetBytes(path, new Span<byte>(address + 2, PathBytesMax));
        int fd = Posix.Socket(Posix.UnixFamily, Posix.SocketStream | Posix.SocketNonBlock | Posix.SocketCloseOnExec, 0);
        if (fd < 0)
        {
            throw Libc.Failure("socket", path);
        }

        _ = Posix.Unlink(path);
        uint mask = Posix.Umask(OthersNothing);
        int bound = Posix.Bind(fd, address, (uint)(2 + length + 1));
        IOException? failure = bound == 0 ? null : Libc.Failure("bind", path);
        _ = Posix.Umask(mask);
        if (failure is null && Posix.Listen(fd, Backlog) != 0)
        {
            failure = Libc.Failure("listen", path);
        }

        if (failure is not null)
        {
            _ = Libc.Close(fd);
            throw failure;
        }

        return fd;
    }

    /// <summary>The next waiting connection, non-blocking and close-on-exec, or -1.</summary>
    public static int Accept(int listener) => Posix.Accept4(listener, null, null, Posix.SocketNonBlock | Posix.SocketCloseOnExec);

    /// <summary>True for a connected Unix socket whose other end belongs to our own user.</summary>
    public static bool IsOfOwnUser(int fd)
    {
        Posix.Credentials peer;
        uint length = (uint)sizeof(Posix.Credentials);
        return Posix.GetSockOpt(fd, Posix.SolSocket, Posix.PeerCredentials, &peer, &length) == 0 && peer.Uid == Libc.GetUid();
    }

    /// <summary>
    /// True when a descriptor is a connected socket. Descriptor 3 may also be the runtime's own: its diagnostics port listens, and is told
    /// apart by that.
    /// </summary>
    public static bool IsConnected(int fd)
    {
        int isListening = 0;
        uint length = sizeof(int);
        return Posix.GetSockOpt(fd, Posix.SolSocket, Posix.SocketIsListening, &isListening, &length) == 0
            && isListening == 0
            && IsOfOwnUser(fd);
    }
}
