using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Supervision;

/// <summary>The attempts that live now, by id.</summary>
public sealed class LiveAttempts
{
    private readonly ConcurrentDictionary<string, LiveAttempt> _byId = new();

    public ICollection<LiveAttempt> All => _byId.Values;

    public void Add(LiveAttempt attempt) => _byId[attempt.Id.Value] = attempt;

    public bool TryGet(AttemptId id, [NotNullWhen(true)] out LiveAttempt? attempt) => _byId.TryGetValue(id.Value, out attempt);

    public void Remove(LiveAttempt attempt)
    {
        _byId.TryRemove(attempt.Id.Value, out _);
        attempt.End();
    }
}
