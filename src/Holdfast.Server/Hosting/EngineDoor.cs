using Holdfast.Engine;

namespace Holdfast.Server.Hosting;

/// <summary>How doors reach the engine, which is not there yet when they open, and must not be asked before it has recovered.</summary>
public sealed class EngineDoor
{
    private volatile HoldfastEngine? _engine;
    private volatile bool _isReady;
    private volatile bool _wasReady;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Bytes that one message of a kernel's client may have.</summary>
    public int MessageBytesMax { get; init; } = ServeOptions.MessageBytesLimit;

    /// <summary>True between recovery and stop.</summary>
    public bool IsReady
    {
        get => _isReady;
        set
        {
            _wasReady |= value;
            _isReady = value;
            if (value)
            {
                _ready.TrySetResult();
            }
        }
    }

    /// <summary>Completes when the server has recovered.</summary>
    public Task Recovered => _ready.Task;

    /// <summary>
    /// Cancelled when the server begins to stop: whoever waits for the future is answered with the present, so that the stop waits for
    /// nobody.
    /// </summary>
    public CancellationToken Stopping { get; init; }

    /// <summary>True from when a server that was ready no longer is: it does not become so again.</summary>
    public bool IsStopping => _wasReady && !_isReady;

    /// <summary>Ends the server as SIGTERM does; set by whoever runs it.</summary>
    public Action StopRequested { get; set; } = static () => { };

    /// <summary>Null until the store is open.</summary>
    public HoldfastEngine? EngineOrNull => _engine;

    public HoldfastEngine Engine =>
        _engine ?? throw new RefusedException(ErrorCodes.Recovering, "The server is starting. Try again in a moment.");

    public void Open(HoldfastEngine engine) => _engine = engine;
}
