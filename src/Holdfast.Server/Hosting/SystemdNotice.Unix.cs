using System.Runtime.InteropServices;

namespace Holdfast.Server.Hosting;

public sealed partial class SystemdNotice
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int Rights = 1; // SCM_RIGHTS
    private const int NoSignal = 0x4000; // MSG_NOSIGNAL
    private const int ControlBytes = 20; // CMSG_LEN of one descriptor: without the padding behind it.

    /// <summary>One datagram with a descriptor beside it. That it cannot be sent is no reason not to serve.</summary>
    private static unsafe void SendWithDescriptor(int socket, ReadOnlySpan<byte> bytes, int descriptor)
    {
        fixed (byte* start = bytes)
        {
            var vector = new Vector { Start = start, Length = (nuint)bytes.Length };
            var control = new Control
            {
                Length = ControlBytes,
                Level = SocketLevel,
                Type = Rights,
                Descriptor = descriptor,
            };
            var message = new Message
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = &control,
                ControlLength = (nuint)sizeof(Control),
            };
            _ = SendMessage(socket, &message, NoSignal);
        }
    }

    [LibraryImport("libc", EntryPoint = "sendmsg")]
    private static unsafe partial nint SendMessage(int socket, Message* message, int flags);

    /// <summary>struct iovec.</summary>
    private unsafe struct Vector
    {
        public byte* Start;
        public nuint Length;
    }

    /// <summary>struct cmsghdr with one descriptor, padded as CMSG_SPACE has it.</summary>
    private struct Control
    {
        public nuint Length;
        public int Level;
        public int Type;
        public int Descriptor;
        public int Padding;
    }

    /// <summary>struct msghdr.</summary>
    private unsafe struct Message
    {
        public void* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
