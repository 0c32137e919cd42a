using System.Runtime.InteropServices;

namespace Holdfast.Protocol.Jupyter;

/// <summary>zmq_msg_t: 64 bytes that libzmq alone looks into.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ZmqMessage
{
#pragma warning disable CS0169, IDE0051, IDE0044 // Never read here.
    private fixed ulong _content[8];
#pragma warning restore CS0169, IDE0051, IDE0044
}

/// <summary>
/// What is used of libzmq's C interface, thin: errno is left to the caller, names are the C names. The library is loaded at the first call,
/// so a process that runs no kernel never needs it. A socket belongs to one thread.
/// </summary>
public static unsafe partial class Zmq
{
    private const string Library = "libzmq.so.5";

    public const int Pair = 0;
    public const int Req = 3;
    public const int Dealer = 5;
    public const int Sub = 2;

    public const int OptionIdentity = 5;
    public const int OptionSubscribe = 6;
    public const int OptionDescriptor = 14;
    public const int OptionEvents = 15;
    public const int OptionLinger = 17;
    public const int OptionReconnectInterval = 18;
    public const int OptionSendHighWaterMark = 23;
    public const int OptionReceiveHighWaterMark = 24;
    public const int OptionReqCorrelate = 52;
    public const int OptionReqRelaxed = 53;

    public const int EventHandshakeSucceeded = 0x1000;

    public const int DontWait = 1;
    public const int SendMore = 2;

    public const short PollIn = 1;
    public const short PollOut = 2;

    [LibraryImport(Library, EntryPoint = "zmq_ctx_new", SetLastError = true)]
    public static partial nint ContextNew();

    [LibraryImport(Library, EntryPoint = "zmq_ctx_term")]
    public static partial int ContextTerm(nint context);

    [LibraryImport(Library, EntryPoint = "zmq_socket", SetLastError = true)]
    public static partial nint Socket(nint context, int type);

    [LibraryImport(Library, EntryPoint = "zmq_close")]
    public static partial int Close(nint socket);

    [LibraryImport(Library, EntryPoint = "zmq_setsockopt", SetLastError = true)]
    public static partial int SetOption(nint socket, int option, void* value, nuint length);

    [LibraryImport(Library, EntryPoint = "zmq_connect", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Connect(nint socket, string endpoint);

    /// <summary>No endpoint ends it.</summary>
    [LibraryImport(Library, EntryPoint = "zmq_socket_monitor", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SocketMonitor(nint socket, string? endpoint, int events);

    [LibraryImport(Library, EntryPoint = "zmq_send", SetLastError = true)]
    public static partial int Send(nint socket, void* buffer, nuint length, int flags);

    [LibraryImport(Library, EntryPoint = "zmq_msg_recv", SetLastError = true)]
    public static partial int MessageReceive(ZmqMessage* message, nint socket, int flags);

    // The four below look into memory and never block, so the runtime need not be told of the call.
    [LibraryImport(Library, EntryPoint = "zmq_msg_init"), SuppressGCTransition]
    public static partial int MessageInit(ZmqMessage* message);

    [LibraryImport(Library, EntryPoint = "zmq_msg_data"), SuppressGCTransition]
    public static partial void* MessageData(ZmqMessage* message);

    [LibraryImport(Library, EntryPoint = "zmq_msg_size"), SuppressGCTransition]
    public static partial nuint MessageSize(ZmqMessage* message);

    [LibraryImport(Library, EntryPoint = "zmq_msg_more"), SuppressGCTransition]
    public static partial int MessageMore(ZmqMessage* message);

    // Frees: 100 MB given back to the system takes a moment.
    [LibraryImport(Library, EntryPoint = "zmq_msg_close")]
    public static partial int MessageClose(ZmqMessage* message);

    [LibraryImport(Library, EntryPoint = "zmq_getsockopt", SetLastError = true)]
    private static partial int GetOption(nint socket, int option, void* value, nuint* length);

    /// <summary>The value of an option that is an int.</summary>
    public static int GetOption(nint socket, int option)
    {
        int value = 0;
        nuint length = sizeof(int);
        return GetOption(socket, option, &value, &length) == 0 ? value : throw Processes.Libc.Failure("zmq_getsockopt", "a socket");
    }

    /// <summary>Sets an option that takes an int.</summary>
    public static void SetOption(nint socket, int option, int value)
    {
        if (SetOption(socket, option, &value, sizeof(int)) != 0)
        {
            throw Processes.Libc.Failure("zmq_setsockopt", "a socket");
        }
    }

    /// <summary>Sets an option that takes bytes.</summary>
    public static void SetOption(nint socket, int option, ReadOnlySpan<byte> value)
    {
        fixed (byte* start = value)
        {
            if (SetOption(socket, option, start, (nuint)value.Length) != 0)
            {
                throw Processes.Libc.Failure("zmq_setsockopt", "a socket");
            }
        }
    }
}
