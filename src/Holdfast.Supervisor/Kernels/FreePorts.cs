using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// Ports on 127.0.0.1 that were free a moment ago. Another process can take one before the kernel binds it; the kernel then dies at its
/// start and says so, which is why <c>ipc</c> is used wherever the kernel speaks it.
/// </summary>
internal static unsafe class FreePorts
{
    private const int InetFamily = 2;
    private const int AddressBytes = 16;
    private const int LowestPort = 10_240;
    private const int EphemeralDefault = 32_768;

    /// <summary>
    /// Ports below the range from which the system takes the local ports of outgoing connections: one of our own attempts to connect to a
    /// port that nobody has bound yet could otherwise be given that very port, connect to itself, and keep the kernel from binding it.
    /// </summary>
    public static int[] Find(int count, long seed)
    {
        int range = Math.Max(1000, FirstEphemeral() - LowestPort);
        var ports = new int[count];
        int found = 0;
        ulong start = (ulong)seed * 2654435761UL >> 16;
        for (int i = 0; i < range && found < count; i++)
        {
            int port = LowestPort + (int)((start + (ulong)i) % (ulong)range);
            if (IsFree(port))
            {
                ports[found++] = port;
            }
        }

        return found == count ? ports : throw new IOException("No free ports on 127.0.0.1.");
    }

    private static bool IsFree(int port)
    {
        int socket = Posix.Socket(InetFamily, Posix.SocketStream | Posix.SocketCloseOnExec, 0);
        byte* address = stackalloc byte[AddressBytes];
        new Span<byte>(address, AddressBytes).Clear();
        *(ushort*)address = InetFamily;
        address[2] = (byte)(port >> 8);
        address[3] = (byte)port;
        address[4] = 127;
        address[7] = 1;
        bool isFree = socket >= 0 && Posix.Bind(socket, address, AddressBytes) == 0;
        if (socket >= 0)
        {
            _ = Libc.Close(socket);
        }

        return isFree;
    }

    private static int FirstEphemeral()
    {
        string text = Encoding.ASCII.GetString(RawFile.Read("/proc/sys/net/ipv4/ip_local_port_range") ?? []);
        int end = 0;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }

        return int.TryParse(text.AsSpan(0, end), out int first) ? first : EphemeralDefault;
    }
}
