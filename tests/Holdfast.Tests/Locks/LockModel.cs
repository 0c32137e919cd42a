using Holdfast.Engine.Executions;

namespace Holdfast.Tests.Locks;

/// <summary>
/// What locks mean, as naively as it can be said: a list a name, and whoever is first in all of its lists has them for good.
/// </summary>
internal sealed class LockModel
{
    private readonly SortedDictionary<string, List<ExecutionId>> _lines = new(StringComparer.Ordinal);
    private readonly HashSet<ExecutionId> _granted = [];

    public Dictionary<ExecutionId, string[]> Asked { get; } = [];

    public void Enter(ExecutionId id, string[] names)
    {
        Asked[id] = names;
        foreach (string name in names)
        {
            if (!_lines.TryGetValue(name, out List<ExecutionId>? line))
            {
                _lines[name] = line = [];
            }

            line.Add(id);
        }

        Settle();
    }

    public void Leave(ExecutionId id)
    {
        foreach (List<ExecutionId> line in _lines.Values)
        {
            line.Remove(id);
        }

        _granted.Remove(id);
        Settle();
    }

    public ExecutionId? Release(string name)
    {
        if (!_lines.TryGetValue(name, out List<ExecutionId>? line) || line.Count == 0 || !_granted.Contains(line[0]))
        {
            return null;
        }

        ExecutionId holder = line[0];
        line.RemoveAt(0);
        Settle();
        return holder;
    }

    public bool Waits(ExecutionId id) => !_granted.Contains(id) && _lines.Values.Any(l => l.Contains(id));

    public IEnumerable<string> Lines() =>
        _lines
            .Where(static l => l.Value.Count > 0)
            .Select(l =>
                $"{l.Key}: {l.Value.Where(_granted.Contains).Select(static h => (string?)h.Value).SingleOrDefault()} < {string.Join(" ", l.Value.Where(w => !_granted.Contains(w)).Select(static w => w.Value))}"
            );

    private void Settle()
    {
        foreach (ExecutionId id in _lines.Values.SelectMany(static l => l).Distinct().ToArray())
        {
            if (_lines.Values.Where(l => l.Contains(id)).All(l => l[0] == id))
            {
                _granted.Add(id);
            }
        }
    }
}
