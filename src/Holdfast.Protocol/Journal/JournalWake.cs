using System.Threading.Tasks.Sources;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// Wakes one waiting loop, on the very thread that signals when it is asked so: then there is no other hop. Any number of signals before a
/// wait are worth one.
/// </summary>
public sealed class JournalWake : IValueTaskSource
{
    private const int Idle = 0;
    private const int Signalled = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> _source;
    private int _state;

    /// <summary>The loop goes on before this returns.</summary>
    public void SignalInline() => Signal(isInline: true);

    /// <summary>The loop goes on elsewhere.</summary>
    public void Signal() => Signal(isInline: false);

    /// <summary>For one loop only.</summary>
    public ValueTask WaitAsync()
    {
        _source.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Idle)
        {
            return new ValueTask(this, _source.Version);
        }

        Volatile.Write(ref _state, Idle); // It was signalled; only this loop takes that back.
        return ValueTask.CompletedTask;
    }

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Signal(bool isInline)
    {
        while (true)
        {
            int seen = Volatile.Read(ref _state);
            if (seen == Signalled)
            {
                return;
            }

            int next = seen == Waiting ? Idle : Signalled;
            if (Interlocked.CompareExchange(ref _state, next, seen) == seen)
            {
                if (seen == Waiting)
                {
                    _source.RunContinuationsAsynchronously = !isInline;
                    _source.SetResult(true);
                }

                return;
            }
        }
    }
}
