using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Store;

/// <summary>
/// Runs what changes registered with <see cref="StoreTransaction.OnCommitted"/>, in commit order, one at a time, on a thread of its own:
/// neither a slow effect nor a starved thread pool delays the next COMMIT or changes the order.
/// </summary>
internal sealed partial class CommittedEffects : IDisposable
{
    // Bounded; when full, the writer thread waits. Effects are short by contract, so a full queue is a fault whose cost should be felt, not hidden in memory.
    private readonly BlockingCollection<Action[]> _batches;
    private readonly ILogger _logger;
    private readonly Thread _thread;

    public CommittedEffects(int capacity, ILogger logger)
    {
        _batches = new BlockingCollection<Action[]>(capacity);
        _logger = logger;
        _thread = new Thread(RunAll) { Name = "store effects", IsBackground = true };
        _thread.Start();
    }

    public void Post(Action[] effects)
    {
        if (effects.Length > 0)
        {
            _batches.Add(effects);
        }
    }

    /// <summary>Returns when every effect posted so far has run.</summary>
    public void Dispose()
    {
        _batches.CompleteAdding();
        _thread.Join();
        _batches.Dispose();
    }

    private void RunAll()
    {
        foreach (Action[] effects in _batches.GetConsumingEnumerable())
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
