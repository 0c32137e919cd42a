using Holdfast.Engine.Jobs;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Locks;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Journal;

namespace Holdfast.Engine.Executions;

/// <summary>An execution with what is only known while it waits or runs.</summary>
public sealed record ExecutionView(Execution Execution)
{
    public int? QueuePosition { get; init; }

    /// <summary>The locks whose line somebody else is before it in; none unless it waits.</summary>
    public IReadOnlyList<string> WaitsFor { get; init; } = [];

    public SupervisorHealth? SupervisorHealth { get; init; }
    public string? StallReason { get; init; }

    /// <summary>Of a cell, when it was asked for by itself.</summary>
    public string? Code { get; init; }

    /// <summary>Of a job, when it was asked for by itself.</summary>
    public IReadOnlyList<string>? Argv { get; init; }

    /// <summary>How a cell's code or a job's command begins, by which people know it again.</summary>
    public string? FirstLine { get; init; }

    /// <summary>
    /// A job on a terminal of its own: its output is one stream, and it has a window's size. Only known of one that is asked for by its id.
    /// </summary>
    public bool IsOnTerminal { get; init; }

    /// <summary>Of a job that runs; the execution itself has the final count.</summary>
    public long? OutputBytes { get; init; }
}

/// <summary>Reads executions. Errors: execution-not-found.</summary>
public sealed class GetExecution(StateStore store, LiveAttempts live)
{
    public ExecutionView Run(ExecutionId id)
    {
        (Execution execution, int? position, IReadOnlyList<string> waitsFor, string request) = store.Read(reader =>
        {
            Execution found = ExecutionsTable.Find(reader, id) ?? throw ExecutionId.NotFound(id.Value);
            int? position = found is { State: ExecutionState.Queued, Kind: ExecutionKind.Job }
                ? ExecutionsTable.QueuePosition(reader, found.Sequence)
                : null;
            List<string> waitsFor =
                found.State == ExecutionState.Waiting && LocksTable.PlaceOf(reader, id) is { } place
                    ? LocksTable.WaitsFor(reader, place)
                    : [];
            return (found, position, waitsFor, ExecutionsTable.ReadRequest(reader, id));
        });
        JobRequest? job = execution.Kind == ExecutionKind.Job ? JobRequest.Read(request) : null;
        string? code = execution.Kind == ExecutionKind.Cell ? CellCode.Read(request) : null;
        ExecutionView view = View(execution) with
        {
            QueuePosition = position,
            WaitsFor = waitsFor,
            Code = code,
            Argv = job?.Argv,
            FirstLine = CellCode.FirstLine(job?.Argv is { } argv ? string.Join(' ', argv) : code),
            IsOnTerminal = job?.Pty == true,
        };
        return
            execution is { Kind: ExecutionKind.Job, AttemptId: { } attempt }
            && execution.State.IsActive()
            && live.TryGet(attempt, out LiveAttempt? running)
            && Directory.Exists(running.Files.Journal)
            ? view with
            {
                OutputBytes = JournalOutput.Measure(running.Files.Journal).All,
            }
            : view;
    }

    public IReadOnlyList<ExecutionView> List(ExecutionFilter filter) =>
        store
            .Read(reader => ExecutionsTable.Page(reader, filter))
            .ConvertAll(row => View(row.Execution) with { FirstLine = CellCode.FirstLine(row.Begins) });

    private ExecutionView View(Execution execution) =>
        execution.State.IsActive() && execution.AttemptId is { } attempt && live.TryGet(attempt, out LiveAttempt? found)
            ? new ExecutionView(execution) { SupervisorHealth = found.Health, StallReason = found.StallReason }
            : new ExecutionView(execution);
}
