using System.Collections.Concurrent;
using Holdfast.Engine.Feed;

namespace Holdfast.Engine.Executions;

/// <summary>Everyone who waits for an execution to end. Woken by the feed, after the commit; nothing polls.</summary>
public sealed class ExecutionWaiters : IDisposable
{
    private readonly FeedLog _feed;
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _waiting = new();

    public ExecutionWaiters(FeedLog feed)
    {
        _feed = feed;
        _feed.Published += OnPublished;
    }

    public void Dispose() => _feed.Published -= OnPublished;

    /// <summary>A task that completes at the next change of this execution to a terminal state. Take it first, then read the state.</summary>
    public Task NextEndAsync(ExecutionId id) =>
        _waiting.GetOrAdd(id.Value, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>Lets go of an entry that turned out not to be needed, so that waits on finished work leave nothing behind.</summary>
    public void Forget(ExecutionId id)
    {
        if (_waiting.TryRemove(id.Value, out TaskCompletionSource? waiting))
        {
            waiting.TrySetResult();
        }
    }

    private void OnPublished(FeedEvent published)
    {
        if (published.Kind.StartsWith("execution.", StringComparison.Ordinal) &&
            ExecutionStates.TryParse(published.Kind["execution.".Length..], out ExecutionState state) && state.IsSettled() &&
            _waiting.TryRemove(published.Subject, out TaskCompletionSource? waiting))
        {
            waiting.TrySetResult();
        }
    }
}
