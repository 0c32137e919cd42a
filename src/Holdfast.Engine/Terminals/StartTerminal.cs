using System.Text.Json;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Jobs;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Terminals;

/// <summary>
/// Starts a shell on a terminal of its own, or gives the live one of that name. It is an execution, claimed in the transaction that stores
/// it: it does not wait for a slot. A crash after the commit leaves a claim that recovery finds never started, and starts. Errors:
/// invalid-request, disk-full.
/// </summary>
public sealed class StartTerminal
{
    private readonly StateStore _store;
    private readonly ExecutionLedger _ledger;
    private readonly JobDispatcher _dispatcher;
    private readonly string _root;
    private readonly TimeProvider _time;

    internal StartTerminal(StateStore store, ExecutionLedger ledger, JobDispatcher dispatcher, string root, TimeProvider time) =>
        (_store, _ledger, _dispatcher, _root, _time) = (store, ledger, dispatcher, root, time);

    /// <param name="cwd">Absolute, or below the root; the root where it does not exist.</param>
    public async Task<Terminal> RunAsync(string? name, string? cwd, CancellationToken cancellationToken)
    {
        if (name is not null && !TerminalNames.IsValid(name))
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"'{name}' is no name for a terminal: letters, digits and underscores, 64 at most."
            );
        }

        string request = JsonSerializer.Serialize(
            new JobRequest
            {
                Argv = TerminalShell.Argv(Environment.GetEnvironmentVariable("SHELL"), File.Exists),
                Cwd = TerminalShell.Directory(cwd, _root, Directory.Exists),
                Env = new Dictionary<string, string> { ["JUPYTER_SERVER_ROOT"] = _root },
                Pty = true,
            },
            JobJson.Default.JobRequest
        );
        (Execution execution, ClaimedJob? claimed) = await _store.WriteAsync(
            transaction => Claim(transaction, name, request),
            cancellationToken
        );
        if (claimed is not null)
        {
            _dispatcher.StartNow(claimed);
        }

        Actor.Does(nameof(StartTerminal), execution.Id.Value, execution.Name);
        return new Terminal(execution.Name!, execution.Id, execution.CreatedAt, execution.CreatedAt);
    }

    private (Execution Execution, ClaimedJob? Claimed) Claim(StoreTransaction transaction, string? name, string request)
    {
        List<Execution> live = ExecutionsTable.Terminals(transaction);
        if (live.Find(t => t.Name == name) is { } there)
        {
            return (there, null);
        }

        var draft = new Execution
        {
            Sequence = 0,
            CreatedAt = 0,
            Id = new ExecutionId(Ulid.New(_time)),
            Kind = ExecutionKind.Job,
            State = ExecutionState.Queued,
            Queue = Execution.TerminalsQueue,
            Name = name ?? TerminalNames.NextFree(live.Select(static t => t.Name)),
        };
        ClaimedJob claimed = _ledger.Claim(transaction, _ledger.Add(transaction, draft, request), request);
        return (claimed.Execution, claimed);
    }
}
