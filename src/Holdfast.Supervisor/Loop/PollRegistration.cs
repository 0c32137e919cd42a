namespace Holdfast.Supervisor.Loop;

/// <summary>
/// One thing the loop waits for. Not asked about while <see cref="Events"/> is None: a hung-up descriptor would otherwise be told again and
/// again. Does not own its descriptor: remove it before closing, so that a reused number is never mistaken for it.
/// </summary>
internal sealed class PollRegistration
{
    private readonly PollLoop _loop;
    private PollEvents _events;

    internal PollRegistration(PollLoop loop, nint socket, int fd, PollEvents events, PollCallback callback)
    {
        _loop = loop;
        _events = events;
        Socket = socket;
        Fd = fd;
        Callback = callback;
    }

    internal nint Socket { get; }
    internal int Fd { get; }
    internal PollCallback Callback { get; }
    internal bool IsRemoved { get; private set; }

    /// <summary>
    /// Of a ZMQ socket: it was used since it was last asked for news. Using it takes note of what has come, and its descriptor is then
    /// silent about that. Not so when it was read until it had nothing more.
    /// </summary>
    public bool IsUnsure { get; set; } = true;

    public PollEvents Events
    {
        get => _events;
        set
        {
            if (_events != value)
            {
                _events = value;
                IsUnsure = true;
                _loop.Changed();
            }
        }
    }

    public void Remove()
    {
        if (!IsRemoved)
        {
            IsRemoved = true;
            _loop.Removed(this);
        }
    }
}
