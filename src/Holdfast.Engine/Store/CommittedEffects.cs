using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Store;

/// <summary>
/// Runs what changes registered with <see cref="StoreTransaction.OnCommitted"/>, in commit order, one at a time, on a thread of its own:
/// neither a slow effect nor a starved thread pool delays the next COMMIT or changes the order.
/// </summary>
internal sealed partial class CommittedEffects : IDisposable
{
    private readonly object _gate = new();
    private readonly int _capacity;
    private readonly Queue<Action[]> _batches = []; // Guarded by _gate.
    private bool _isClosed; // Guarded by _gate.
    private readonly ILogger _logger;
    private readonly Thread _thread;

    public CommittedEffects(int capacity, ILogger logger)
    {
        _capacity = capacity;
        _logger = logger;
        _thread = new Thread(RunAll) { Name = "store effects", IsBackground = true };
        _thread.Start();
    }

    /// <summary>
    /// Waits while the queue is full: effects are short by contract, so a full one is a fault whose cost should be felt, not hidden in
    /// memory.
    /// </summary>
    public void Post(Action[] effects)
    {
        if (effects.Length == 0)
        {
            return;
        }

        // A monitor, because it sleeps at once: collections that spin before they wait burn a processor that this machine may not have to
        // spare.
        lock (_gate)
        {
            while (_batches.Count >= _capacity)
            {
                Monitor.Wait(_gate);
            }

            _batches.Enqueue(effects);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Returns when every effect posted so far has run.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.PulseAll(_gate);
        }

        _thread.Join();
    }

    /// <summary>The next batch; null when closed and drained.</summary>
    private Action[]? Take()
    {
        lock (_gate)
        {
            while (_batches.Count == 0 && !_isClosed)
            {
                Monitor.Wait(_gate);
            }

            _ = _batches.TryDequeue(out Action[]? effects);
            Monitor.PulseAll(_gate);
            return effects;
        }
    }

    private void RunAll()
    {
        while (Take() is { } effects)
        {
            foreach (Action effect in effects)
            {
                try
                {
                    effect();
                }
                catch (Exception error)
                {
                    // The change is committed and cannot be taken back; the effects behind this one must still run.
                    Log.EffectFailed(_logger, error);
                }
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.StoreEffectFailed, LogLevel.Error, "An effect of a committed change failed; those behind it go on.")]
        public static partial void EffectFailed(ILogger logger, Exception error);
    }
}
