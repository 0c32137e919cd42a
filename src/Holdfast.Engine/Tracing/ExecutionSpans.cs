using System.Diagnostics;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Tracing;

/// <summary>
/// Makes an execution's spans when it has ended, with the times that the store has: one from its acknowledgement to its end, in the trace
/// of whoever asked for it, and beneath it one for its wait and one for its run. So a trace is whole although servers died in between.
/// Costs nothing while nobody listens.
/// </summary>
internal sealed class ExecutionSpans : IDisposable
{
    public const string SourceName = "Holdfast";
    private const string Prefix = "execution.";

    private readonly ActivitySource _source = new(SourceName, ProductVersion.Current);
    private readonly StateStore _store;
    private readonly FeedLog _feed;

    public ExecutionSpans(StateStore store, FeedLog feed)
    {
        (_store, _feed) = (store, feed);
        feed.Published += OnPublished;
    }

    public void Dispose()
    {
        _feed.Published -= OnPublished;
        _source.Dispose();
    }

    private void OnPublished(FeedEvent published)
    {
        if (
            _source.HasListeners()
            && published.Kind.StartsWith(Prefix, StringComparison.Ordinal)
            && ExecutionStates.TryParse(published.Kind[Prefix.Length..], out ExecutionState state)
            && state.IsTerminal()
        )
        {
            // Not here: handlers only take note.
            ThreadPool.QueueUserWorkItem(
                static work => work.Spans.Make(work.Id),
                (Spans: this, Id: new ExecutionId(published.Subject)),
                preferLocal: false
            );
        }
    }

    private void Make(ExecutionId id)
    {
        (Execution Execution, string Request)? found;
        try
        {
            found = _store.Read(reader =>
                ExecutionsTable.Find(reader, id) is { } execution
                    ? ((Execution, string)?)(execution, ExecutionsTable.ReadRequest(reader, id))
                    : null
            );
        }
        catch (Exception e) when (e is StoreException or ObjectDisposedException)
        {
            return; // The server stops; the work's own records have it all.
        }

        if (found is not { Execution: { FinishedAt: { } finishedAt } execution, Request: var request })
        {
            return;
        }

        Activity.Current = null;
        _ = ActivityContext.TryParse(TraceMark.Read(request), null, out ActivityContext parent);
        using Activity? whole = Begin(execution.Kind == ExecutionKind.Job ? "job" : "cell", parent, execution.CreatedAt);
        if (whole is null)
        {
            return;
        }

        Tell(whole, execution);
        End(Begin("wait", whole.Context, execution.CreatedAt), execution.StartedAt ?? finishedAt);
        if (execution.StartedAt is { } startedAt)
        {
            Activity? run = Begin("run", whole.Context, startedAt);
            _ = run?.SetTag("holdfast.attempt", execution.Attempt);
            End(run, finishedAt);
        }

        End(whole, finishedAt);
    }

    private static void Tell(Activity whole, Execution execution)
    {
        _ = whole
            .SetTag("holdfast.execution.id", execution.Id.Value)
            .SetTag("holdfast.execution.state", execution.State.Name())
            .SetTag("holdfast.execution.attempts", execution.Attempt);
        (string, object?)[] more =
        [
            ("holdfast.execution.name", execution.Name),
            ("process.exit.code", execution.ExitCode),
            ("holdfast.signal", execution.Signal),
            ("holdfast.kernel.id", execution.KernelId),
            ("holdfast.run.id", execution.RunId),
            ("holdfast.cell.id", execution.CellId),
            ("holdfast.output.bytes", execution.OutputBytes),
        ];
        foreach ((string name, object? value) in more)
        {
            if (value is not null)
            {
                _ = whole.SetTag(name, value);
            }
        }

        _ =
            execution.State == ExecutionState.Succeeded
                ? whole.SetStatus(ActivityStatusCode.Ok)
                : whole.SetStatus(ActivityStatusCode.Error, execution.Reason);
    }

    private Activity? Begin(string name, ActivityContext parent, long at) =>
        _source.StartActivity(name, ActivityKind.Internal, parent, tags: null, links: null, UnixTime.FromMicroseconds(at));

    private static void End(Activity? activity, long at)
    {
        _ = activity?.SetEndTime(UnixTime.FromMicroseconds(at).UtcDateTime);
        activity?.Dispose();
    }
}
