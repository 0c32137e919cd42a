using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// The notebooks whose graphs are in memory, each for one caller at a time. Beyond either limit, what was not touched for longest goes; it
/// is read again from file and store when it is next touched, as after a start.
/// </summary>
internal sealed class OpenNotebooks
{
    internal const int NotebooksMax = 200;
    private const int CellsMax = 100_000;

    private readonly NotebookTurns _turns = new();
    private readonly ConcurrentDictionary<string, ReactiveNotebook> _open = new();
    private long _touches;

    public int Count => _open.Count;

    /// <summary>Waits until nobody else is at this notebook; give it back by disposing.</summary>
    public async Task<IDisposable> TakeTurnAsync(string path, CancellationToken cancellationToken) =>
        new Turn(this, path, await _turns.TakeAsync(path, cancellationToken));

    public bool TryGet(string path, [MaybeNullWhen(false)] out ReactiveNotebook notebook) => _open.TryGetValue(path, out notebook);

    public void Put(ReactiveNotebook notebook) => _open[notebook.Path] = notebook;

    public void Remove(string path) => _open.TryRemove(path, out _);

    /// <summary>This one, or all below this folder.</summary>
    public void RemoveBelow(string path)
    {
        foreach (
            string known in _open.Keys.Where(k => k == path || (k.StartsWith(path, StringComparison.Ordinal) && k[path.Length] == '/'))
        )
        {
            Remove(known);
        }
    }

    /// <summary>Whoever was at it has left: it is the one touched last.</summary>
    private void Touch(string path)
    {
        if (TryGet(path, out ReactiveNotebook? touched))
        {
            touched.Touched = Interlocked.Increment(ref _touches);
        }

        if (_open.Count > NotebooksMax || _open.Sum(static o => (long)o.Value.Sources.Count) > CellsMax)
        {
            Shrink();
        }
    }

    private void Shrink()
    {
        int notebooks = 0;
        long cells = 0;
        foreach (ReactiveNotebook notebook in _open.Values.OrderByDescending(static n => n.Touched).ToArray())
        {
            (notebooks, cells) = (notebooks + 1, cells + notebook.Sources.Count);
            if (notebooks > 1 && (notebooks > NotebooksMax || cells > CellsMax))
            {
                _turns.IfFree(notebook.Path, () => Drop(notebook));
            }
        }
    }

    /// <summary>But for what only memory knows: a text that a client has run and is going to save. Asked when nobody can add one.</summary>
    private void Drop(ReactiveNotebook notebook)
    {
        if (!notebook.HasHeldBack)
        {
            Remove(notebook.Path);
        }
    }

    private sealed class Turn(OpenNotebooks notebooks, string path, IDisposable turn) : IDisposable
    {
        public void Dispose()
        {
            turn.Dispose();
            notebooks.Touch(path);
        }
    }
}
