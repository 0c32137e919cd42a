using System.Collections.Concurrent;
using Holdfast.Engine.Feed;

namespace Holdfast.Engine.Executions;

/// <summary>
/// Everyone who waits for an execution or a notebook run to end. Woken by the feed, after the commit, and by nothing but that end; nothing
/// polls.
/// </summary>
public sealed class EndWaiters : IDisposable
{
    private readonly FeedLog _feed;
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _waiting = new();

    public EndWaiters(FeedLog feed)
    {
        _feed = feed;
        _feed.Published += OnPublished;
    }

    public void Dispose() => _feed.Published -= OnPublished;

    /// <summary>
    /// A task that completes at the next change of this execution to a terminal state, or at the end of this run. Take it first, then read
    /// the state.
    /// </summary>
    public Task NextEndAsync(string id) =>
        _waiting.GetOrAdd(id, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>Lets go of an entry that turned out not to be needed, so that waits on finished work leave nothing behind.</summary>
    public void Forget(string id)
    {
        if (_waiting.TryRemove(id, out TaskCompletionSource? waiting))
        {
            waiting.TrySetResult();
        }
    }

    private void OnPublished(FeedEvent published)
    {
        if (!_waiting.IsEmpty && IsEnd(published.Kind) && _waiting.TryRemove(published.Subject, out TaskCompletionSource? waiting))
        {
            waiting.TrySetResult();
        }
    }

    private static bool IsEnd(string kind) =>
        kind switch
        {
            "cascade.ended" => true,
            _ when kind.StartsWith("execution.", StringComparison.Ordinal) => ExecutionStates.TryParse(
                kind["execution.".Length..],
                out ExecutionState state
            ) && state.IsSettled(),
            _ => kind.StartsWith("run.", StringComparison.Ordinal) && kind != "run.running",
        };
}
