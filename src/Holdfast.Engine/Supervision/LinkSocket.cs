using System.Net.Sockets;
using System.Runtime.InteropServices;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Supervision;

/// <summary>
/// Reading of a link's socket by a thread that waits in the system itself. What a kernel says is passed on by the thread that the system
/// wakes, and by no second one: on the pool's way two threads are woken for each piece of news, and that is most of what a small cell
/// costs.
/// </summary>
internal static unsafe partial class LinkSocket
{
    private const short In = 1; // POLLIN
    private const int DoNotWait = 0x40; // MSG_DONTWAIT

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFd
    {
        public int Fd;
        public short Events;
        public short Happened;
    }

    /// <summary>Waits for bytes; 0 when the peer is gone or the socket was shut down. The caller alone closes the socket.</summary>
    public static int Receive(Socket socket, Span<byte> room)
    {
        int fd = (int)socket.SafeHandle.DangerousGetHandle();
        while (true)
        {
            var poll = new PollFd { Fd = fd, Events = In };
            if (Poll(&poll, 1, Timeout.Infinite) < 0 && Libc.Errno != Libc.Eintr)
            {
                throw new SocketException(Libc.Errno);
            }

            nint received;
            fixed (byte* start = room)
            {
                received = Receive(fd, start, (nuint)room.Length, DoNotWait);
            }

            if (received >= 0)
            {
                return (int)received;
            }

            if (Libc.Errno is not (Libc.Eintr or Libc.Eagain))
            {
                return 0; // Reset, which says no more than a close does.
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollFd* items, nuint count, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int fd, byte* buffer, nuint length, int flags);
}
