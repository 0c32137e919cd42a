using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// Gives an interrupt again that came in a request's first moments, when a kernel may not have heard it: ipykernel ignores SIGINT between its busy and its handler, and IPython's own callbacks
/// before the code catch what comes during them. 1. Again only while that request runs; nothing but its end says that it was heard, since both show a KeyboardInterrupt or nothing alike. 2. With
/// growing gaps, and four times at most. 3. One that came later is heard, and is not given again: a cell may catch it on purpose, to save what it has.
/// </summary>
internal sealed class InterruptPursuit
{
    /// <summary>So young is a request whose interrupt may be lost: some hundred times what ipykernel takes from its busy to the code.</summary>
    public const int FreshMs = 250;

    private static readonly int[] GapsMs = [100, 300, 1000, 3000];

    private readonly PollLoop _loop;
    private readonly LoopCallback _interrupt;
    private readonly LoopTimer _timer;
    private byte[]? _target;
    private int _given;

    /// <param name="interrupt">Gives it once more.</param>
    public InterruptPursuit(PollLoop loop, LoopCallback interrupt)
    {
        (_loop, _interrupt) = (loop, interrupt);
        _timer = loop.AddTimer(GiveAgain);
    }

    /// <summary>A request that runs since <paramref name="runningSinceMs"/> is being interrupted.</summary>
    public void Begin(ReadOnlySpan<byte> messageId, long runningSinceMs)
    {
        if (_loop.NowMs - runningSinceMs <= FreshMs)
        {
            _target = messageId.ToArray();
            _given = 0;
            _timer.Start(GapsMs[0]);
        }
    }

    public void NoteEnd(ReadOnlySpan<byte> messageId)
    {
        if (_target is not null && messageId.SequenceEqual(_target))
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

    private void GiveAgain()
    {
        _given++;
        if (_given < GapsMs.Length)
        {
            _timer.Start(GapsMs[_given]);
        }

        _interrupt();
    }
}
