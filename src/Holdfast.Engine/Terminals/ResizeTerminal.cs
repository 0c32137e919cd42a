using Holdfast.Engine.Executions;
using Holdfast.Engine.Jobs;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Terminals;

/// <summary>
/// Gives the terminal that an execution runs on another size, of which its foreground processes are told.
/// Errors: execution-not-found, invalid-request, illegal-transition, not-supported (it has none), supervisor-unreachable.
/// </summary>
public sealed class ResizeTerminal
{
    private readonly StateStore _store;
    private readonly JobRunner _jobs;

    internal ResizeTerminal(StateStore store, JobRunner jobs) => (_store, _jobs) = (store, jobs);

    public async Task<Execution> RunAsync(ExecutionId id, int rows, int columns, CancellationToken cancellationToken)
    {
        Actor.Does(nameof(ResizeTerminal), id.Value);
        if (rows is < 1 or > JobLimits.TerminalSizeMax || columns is < 1 or > JobLimits.TerminalSizeMax)
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"{rows} rows by {columns} columns is no size; each must be from 1 to {JobLimits.TerminalSizeMax}."
            );
        }

        Execution execution = _store.Read(reader => ExecutionsTable.Find(reader, id)) ?? throw ExecutionId.NotFound(id.Value);
        if (execution.Kind != ExecutionKind.Job)
        {
            throw new RefusedException(ErrorCodes.NotSupported, "A cell does not run on a terminal.");
        }

        if (!execution.State.IsActive())
        {
            throw new RefusedException(
                ErrorCodes.IllegalTransition,
                $"The execution is {execution.State.Name()}; only one that runs has a size."
            );
        }

        await _jobs.ResizeAsync(execution, rows, columns, cancellationToken);
        return execution;
    }
}
