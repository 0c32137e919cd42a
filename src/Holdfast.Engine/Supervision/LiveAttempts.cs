using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Supervision;

/// <summary>The attempts that live now, by id.</summary>
public sealed class LiveAttempts
{
    private readonly ConcurrentDictionary<string, LiveAttempt> _byId = new();

    public ICollection<LiveAttempt> All => _byId.Values;

    /// <summary>
    /// The one object of an attempt, made by whoever needs it first: the effect of the commit that claimed it, or its launch.
    /// </summary>
    public LiveAttempt Ensure(Attempt attempt, string directory) =>
        _byId.GetOrAdd(attempt.Id.Value, static (_, made) => new LiveAttempt(made.attempt, made.directory), (attempt, directory));

    public void Add(LiveAttempt attempt) => _byId[attempt.Id.Value] = attempt;

    public bool TryGet(AttemptId id, [NotNullWhen(true)] out LiveAttempt? attempt) => _byId.TryGetValue(id.Value, out attempt);

    public void Remove(LiveAttempt attempt)
    {
        _byId.TryRemove(attempt.Id.Value, out _);
        attempt.End();
    }
}
