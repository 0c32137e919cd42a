using Holdfast.Protocol.Jupyter;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>Told when the kernel has stopped answering its heartbeat, or answers again.</summary>
internal delegate void HeartbeatCallback(bool isAlive);

/// <summary>
/// Asks the kernel's echo every five seconds. It answers while its process gets to run, in C code too; it does not when stopped, or swapped
/// out, or when its memory is exhausted. Tells changes only, and decides nothing: only the end of the process is an end.
/// </summary>
internal sealed unsafe class KernelHeartbeat : IDisposable
{
    /// <summary>Also how long an answer may take before the kernel is said not to answer.</summary>
    public const int IntervalMs = 5000;

    private readonly nint _socket;
    private readonly HeartbeatCallback _changed;
    private readonly PollRegistration _registration;
    private readonly LoopTimer _timer;
    private readonly ZmqFrames _frames = new();
    private bool _isUnanswered;

    public KernelHeartbeat(PollLoop loop, nint socket, HeartbeatCallback changed)
    {
        _socket = socket;
        _changed = changed;
        _registration = loop.AddSocket(socket, Zmq.GetOption(socket, Zmq.OptionDescriptor), PollEvents.Readable, _ => Receive());
        _timer = loop.AddTimer(Beat);
    }

    public bool IsAlive { get; private set; } = true;

    public void Start() => Beat();

    /// <summary>Asks no more: the kernel is gone, and that is told otherwise.</summary>
    public void Stop()
    {
        _timer.Stop();
        _registration.Events = PollEvents.None;
    }

    public void Dispose()
    {
        _registration.Remove();
        _timer.Remove();
        _frames.Dispose();
    }

    private void Beat()
    {
        if (_isUnanswered)
        {
            Set(isAlive: false);
        }

        _isUnanswered = true;
        fixed (byte* ping = "ping"u8)
        {
            _ = Zmq.Send(_socket, ping, 4, Zmq.DontWait);
        }

        _registration.IsUnsure = true;

        _timer.Start(IntervalMs);
    }

    private void Receive()
    {
        // Once: a REQ that has its answer may not be asked for another.
        if (_isUnanswered && _frames.TryReceive(_socket))
        {
            _frames.Close();
            _isUnanswered = false;
            Set(isAlive: true);
        }
    }

    private void Set(bool isAlive)
    {
        if (isAlive != IsAlive)
        {
            IsAlive = isAlive;
            _changed(isAlive);
        }
    }
}
