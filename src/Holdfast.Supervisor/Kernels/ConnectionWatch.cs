using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// Tells once when a socket's connection has shaken hands. A kernel's ROUTER drops what it sends to an identity it has not met: a question
/// for input that is asked before our stdin socket is known to it would be lost, and the cell would wait for ever.
/// </summary>
internal sealed unsafe class ConnectionWatch : IDisposable
{
    private readonly nint _socket;
    private readonly nint _monitor;
    private readonly LoopCallback _connected;
    private readonly PollRegistration _registration;
    private readonly ZmqFrames _frames = new();

    public ConnectionWatch(PollLoop loop, nint context, nint socket, string name, LoopCallback connected)
    {
        (_socket, _connected) = (socket, connected);
        string endpoint = $"inproc://watch-{name}";
        _monitor = Zmq.Socket(context, Zmq.Pair);
        if (_monitor == 0 || Zmq.SocketMonitor(socket, endpoint, Zmq.EventHandshakeSucceeded) != 0 || Zmq.Connect(_monitor, endpoint) != 0)
        {
            throw Libc.Failure("zmq_socket_monitor", name);
        }

        Zmq.SetOption(_monitor, Zmq.OptionLinger, 0);
        _registration = loop.AddSocket(_monitor, Zmq.GetOption(_monitor, Zmq.OptionDescriptor), PollEvents.Readable, _ => Take());
    }

    public bool IsConnected { get; private set; }

    public void Dispose()
    {
        _registration.Remove();
        _frames.Dispose();
        _ = Zmq.SocketMonitor(_socket, null, 0);
        _ = Zmq.Close(_monitor);
    }

    private void Take()
    {
        if (!IsConnected && _frames.TryReceive(_monitor))
        {
            _frames.Close();
            IsConnected = true;
            _registration.Events = PollEvents.None;
            _connected();
        }
    }
}
