namespace Holdfast.Engine.Reactive.Registration;

/// <summary>One caller at a time for each path. A path is known here only while somebody has its turn or waits for it.</summary>
internal sealed class NotebookTurns
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Line> _lines = [];

    /// <summary>Guarded by the gate but for its semaphore.</summary>
    private sealed class Line
    {
        public SemaphoreSlim Turn { get; } = new(1);

        public int Callers { get; set; }
    }

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _lines.Count;
            }
        }
    }

    public async Task<IDisposable> TakeAsync(string path, CancellationToken cancellationToken)
    {
        Line line;
        lock (_gate)
        {
            line = _lines.TryGetValue(path, out Line? known) ? known : _lines[path] = new Line();
            line.Callers++;
        }

        try
        {
            await line.Turn.WaitAsync(cancellationToken);
        }
        catch
        {
            Leave(path, line);
            throw;
        }

        return new Taken(this, path, line);
    }

    /// <summary>Only if nobody has the turn of this path, nor waits for it; nobody takes it meanwhile.</summary>
    public void IfFree(string path, Action act)
    {
        lock (_gate)
        {
            if (!_lines.ContainsKey(path))
            {
                act();
            }
        }
    }

    private void Leave(string path, Line line)
    {
        lock (_gate)
        {
            if (--line.Callers == 0)
            {
                _lines.Remove(path);
            }
        }
    }

    private sealed class Taken(NotebookTurns turns, string path, Line line) : IDisposable
    {
        private int _isDisposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                line.Turn.Release();
                turns.Leave(path, line);
            }
        }
    }
}
