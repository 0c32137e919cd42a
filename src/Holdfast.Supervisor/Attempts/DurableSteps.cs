using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Attempts;

/// <summary>
/// Things that must reach the disk, each wholly and in order. A step that fails, because the disk is full above all, stays first and is
/// tried again each second; until it succeeds nothing overtakes it and <see cref="IsStalled"/> says so. So a full disk delays, and loses
/// nothing.
/// </summary>
internal sealed class DurableSteps
{
    private const int RetryMs = 1000;
    private readonly List<Step> _steps = [];
    private readonly LoopTimer _retry;
    private bool _isRunning;

    public DurableSteps(PollLoop loop) => _retry = loop.AddTimer(Run);

    /// <summary>A step waits for the disk.</summary>
    public bool IsStalled { get; private set; }

    /// <summary>Why, while <see cref="IsStalled"/>.</summary>
    public string StallReason { get; private set; } = "";

    public bool IsEmpty => _steps.Count == 0;

    /// <summary>Called when <see cref="IsStalled"/> has become true or false.</summary>
    public LoopCallback? StallChanged { get; set; }

    /// <summary>Puts a step first, before the one that waits: the record of the stall itself.</summary>
    public void DoFirst(LoopCallback step) => _steps.Insert(0, new Step(step));

    /// <summary>Does it now, or when everything before it is done. It is called again as a whole when it throws an IOException.</summary>
    public void Do(LoopCallback step)
    {
        _steps.Add(new Step(step));
        if (!IsStalled)
        {
            Run();
        }
    }

    public void Dispose() => _retry.Remove();

    private void Run()
    {
        if (_isRunning)
        {
            // A step that adds steps: they are done when it is.
            return;
        }

        _isRunning = true;
        try
        {
            while (_steps.Count > 0)
            {
                Step step = _steps[0];
                try
                {
                    step.Callback();
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    Stall(e.Message);
                    return;
                }

                Remove(step);
            }
        }
        finally
        {
            _isRunning = false;
        }

        if (IsStalled)
        {
            IsStalled = false;
            SupervisorLog.Write("going on: there is room again");
            StallChanged?.Invoke();
        }
    }

    private void Remove(Step step)
    {
        for (int i = 0; i < _steps.Count; i++)
        {
            if (ReferenceEquals(_steps[i], step))
            {
                _steps.RemoveAt(i);
                return;
            }
        }
    }

    private void Stall(string reason)
    {
        StallReason = reason;
        _retry.Start(RetryMs);
        if (!IsStalled)
        {
            IsStalled = true;
            SupervisorLog.Write("stalled: " + reason);
            StallChanged?.Invoke();
        }
    }

    /// <summary>A class, because lists of own structs are compiled at run time; and so that the same callback may stand twice.</summary>
    private sealed class Step(LoopCallback callback)
    {
        public LoopCallback Callback { get; } = callback;
    }
}
