using Holdfast.Engine.Store;

namespace Holdfast.Engine.Executions;

/// <summary>
/// Gives bytes to a running job's standard input, and ends it when asked. Taken means buffered by the supervisor, which the child may read
/// later.
/// Errors: execution-not-found, illegal-transition, stdin-closed, stdin-full.
/// </summary>
public sealed class WriteStandardInput(StateStore store, ExecutionRunners runners)
{
    /// <summary>One request's bytes at most; the supervisor buffers as much again.</summary>
    public const int BytesMax = 1024 * 1024;

    public async Task<Execution> RunAsync(ExecutionId id, ReadOnlyMemory<byte> bytes, bool end, CancellationToken cancellationToken)
    {
        Actor.Does(nameof(WriteStandardInput), id.Value);
        Execution execution = store.Read(reader => ExecutionsTable.Find(reader, id)) ?? throw ExecutionId.NotFound(id.Value);
        if (!execution.State.IsActive())
        {
            throw new RefusedException(
                ErrorCodes.IllegalTransition,
                $"The execution is {execution.State.Name()}; only one that runs takes input."
            );
        }

        await runners.For(execution.Kind).WriteStandardInputAsync(execution, bytes, end, cancellationToken);
        return execution;
    }
}
