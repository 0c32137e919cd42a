using System.Text;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// The five ZeroMQ sockets towards a kernel, connected before it binds: libzmq keeps trying. One identity on shell, control and stdin,
/// because a kernel sends its input requests to the identity that sent the execute request, and because a reply finds its way by it.
/// </summary>
internal sealed unsafe class KernelSockets : IDisposable
{
    // libzmq's default of 100 ms would be the longest part of a kernel's start. A live kernel's connections do not break, so it costs
    // nothing later.
    private const int ReconnectMs = 20;

    private readonly ConnectionFile _connection;

    public KernelSockets(ConnectionFile connection, string identity)
    {
        _connection = connection;
        Context = Zmq.ContextNew();
        byte[] identityUtf8 = Encoding.UTF8.GetBytes(identity);
        IoPub = Connect(Zmq.Sub, KernelChannel.IoPub, default);
        Shell = Connect(Zmq.Dealer, KernelChannel.Shell, identityUtf8);
        Control = Connect(Zmq.Dealer, KernelChannel.Control, identityUtf8);
        Stdin = Connect(Zmq.Dealer, KernelChannel.Stdin, identityUtf8);
        Heartbeat = Connect(Zmq.Req, KernelChannel.Heartbeat, default);
    }

    public nint Context { get; }
    public nint IoPub { get; }
    public nint Shell { get; }
    public nint Control { get; }
    public nint Stdin { get; }
    public nint Heartbeat { get; }

    public void Dispose()
    {
        // With LINGER 0 everywhere the context ends at once; a kernel that is gone reads nothing any more.
        foreach (nint socket in (ReadOnlySpan<nint>)[IoPub, Shell, Control, Stdin, Heartbeat])
        {
            _ = Zmq.Close(socket);
        }

        _ = Zmq.ContextTerm(Context);
    }

    private nint Connect(int type, KernelChannel channel, ReadOnlySpan<byte> identity)
    {
        nint socket = Zmq.Socket(Context, type);
        if (socket == 0)
        {
            throw Libc.Failure("zmq_socket", channel.ToString());
        }

        // 0 means without limit. A full queue drops messages on SUB, and the sender's own limit is libzmq's default, which we cannot
        // change from here.
        Zmq.SetOption(socket, Zmq.OptionSendHighWaterMark, 0);
        Zmq.SetOption(socket, Zmq.OptionReceiveHighWaterMark, 0);
        Zmq.SetOption(socket, Zmq.OptionLinger, 0);
        Zmq.SetOption(socket, Zmq.OptionReconnectInterval, ReconnectMs);
        if (!identity.IsEmpty)
        {
            Zmq.SetOption(socket, Zmq.OptionIdentity, identity);
        }

        if (type == Zmq.Sub)
        {
            Zmq.SetOption(socket, Zmq.OptionSubscribe, default(ReadOnlySpan<byte>));
        }

        if (type == Zmq.Req)
        {
            // A REQ must be answered before it may send again; relaxed it may, and correlated it drops the late answer to the one before.
            Zmq.SetOption(socket, Zmq.OptionReqCorrelate, 1);
            Zmq.SetOption(socket, Zmq.OptionReqRelaxed, 1);
        }

        if (Zmq.Connect(socket, _connection.Endpoint(channel)) != 0)
        {
            throw Libc.Failure("zmq_connect", _connection.Endpoint(channel));
        }

        return socket;
    }
}
