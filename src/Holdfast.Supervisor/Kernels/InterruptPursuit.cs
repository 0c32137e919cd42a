using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// The interrupt of a request in its first moments. 1. It waits until the code runs: before, ipykernel ignores SIGINT or loses its reply
/// over it, and R dies of it, with everything that the user had in it. 2. It is given again while that request runs, with growing gaps and
/// three times at most, since IPython's own callbacks before the code may catch it; nothing but the request's end says that it was heard.
/// 3. One that comes later is given at once and once: a cell may catch it on purpose, to save what it has.
/// </summary>
internal sealed class InterruptPursuit
{
    /// <summary>So young is a request that may not be at its code yet, where the kernel does not say when it is.</summary>
    public const int FreshMs = 500;

    /// <summary>From execute_input to the code, many times over.</summary>
    private const int AfterInputMs = 100;

    private static readonly int[] GapsMs = [300, 1000, 3000];

    private readonly PollLoop _loop;
    private readonly LoopCallback _interrupt;
    private readonly LoopTimer _timer;
    private byte[]? _target;
    private int _given;

    /// <param name="interrupt">Gives it.</param>
    public InterruptPursuit(PollLoop loop, LoopCallback interrupt)
    {
        (_loop, _interrupt) = (loop, interrupt);
        _timer = loop.AddTimer(Give);
    }

    /// <summary>
    /// A request that runs since <paramref name="runningSinceMs"/> is to be interrupted. True when that is for the caller to do, now; else
    /// it comes.
    /// </summary>
    public bool Begin(ReadOnlySpan<byte> messageId, long runningSinceMs)
    {
        long left = runningSinceMs + FreshMs - _loop.NowMs;
        if (left <= 0)
        {
            return true;
        }

        _target = messageId.ToArray();
        _given = 0;
        _timer.Start(left);
        return false;
    }

    /// <summary>The kernel has said of this request that it is about to run.</summary>
    public void NoteInput(ReadOnlySpan<byte> messageId)
    {
        if (_given == 0 && IsTarget(messageId))
        {
            _timer.Start(Math.Min(AfterInputMs, _timer.RemainingMs));
        }
    }

    public void NoteEnd(ReadOnlySpan<byte> messageId)
    {
        if (IsTarget(messageId))
        {
            Stop();
        }
    }

    public void Stop()
    {
        _target = null;
        _timer.Stop();
    }

    public void Remove() => _timer.Remove();

    private bool IsTarget(ReadOnlySpan<byte> messageId) => _target is not null && messageId.SequenceEqual(_target);

    private void Give()
    {
        if (_given < GapsMs.Length)
        {
            _timer.Start(GapsMs[_given]);
        }

        _given++;
        _interrupt();
    }
}
