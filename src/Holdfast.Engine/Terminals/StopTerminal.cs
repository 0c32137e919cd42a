using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Terminals;

/// <summary>
/// Hangs up: the shell and everything it started get HUP and TERM, and KILL when the grace is over. Returns when they are gone, or after a
/// while if they take their grace; the terminal is no longer listed then either. Errors: terminal-not-found.
/// </summary>
public sealed class StopTerminal(GetTerminal terminals, CancelExecution cancel, WaitForExecution wait)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public async Task RunAsync(string name, CancellationToken cancellationToken)
    {
        Actor.Does(nameof(StopTerminal), name);
        Terminal terminal = terminals.Run(name);
        try
        {
            _ = await cancel.RunAsync(terminal.ExecutionId, cancellationToken);
        }
        catch (RefusedException e) when (e.Code == ErrorCodes.IllegalTransition)
        {
            return; // It ended by itself in this moment.
        }

        _ = await wait.RunAsync(terminal.ExecutionId, Patience, cancellationToken);
    }
}
