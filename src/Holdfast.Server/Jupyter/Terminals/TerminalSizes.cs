using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Terminals;

namespace Holdfast.Server.Jupyter.Terminals;

/// <summary>
/// What size each client's window has: a terminal that several look at has the smallest, so that all of them see all of it. Known of the
/// clients of now only; the terminal itself keeps the size it was given last.
/// </summary>
internal sealed class TerminalSizes
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ExecutionId, Dictionary<object, (int Rows, int Columns)>> _byTerminal = []; // guarded by _lock

    /// <summary>Notes a client's size and gives the terminal the smallest there is now.</summary>
    public Task SetAsync(
        HoldfastEngine engine,
        ExecutionId terminal,
        object client,
        int rows,
        int columns,
        CancellationToken cancellationToken
    )
    {
        lock (_lock)
        {
            if (!_byTerminal.TryGetValue(terminal, out var sizes))
            {
                _byTerminal[terminal] = sizes = [];
            }

            sizes[client] = (rows, columns);
        }

        return ApplyAsync(engine.ResizeTerminal, terminal, cancellationToken);
    }

    /// <summary>A client has gone; those that stay may get more room.</summary>
    public Task RemoveAsync(HoldfastEngine engine, ExecutionId terminal, object client)
    {
        lock (_lock)
        {
            if (!_byTerminal.TryGetValue(terminal, out var sizes) || !sizes.Remove(client))
            {
                return Task.CompletedTask;
            }

            if (sizes.Count == 0)
            {
                _byTerminal.Remove(terminal);
                return Task.CompletedTask; // Nobody looks: it keeps the size it has.
            }
        }

        return ApplyAsync(engine.ResizeTerminal, terminal, CancellationToken.None);
    }

    /// <summary>Null when nobody looks.</summary>
    public (int Rows, int Columns)? Smallest(ExecutionId terminal)
    {
        lock (_lock)
        {
            return _byTerminal.TryGetValue(terminal, out var sizes) && sizes.Count > 0
                ? (sizes.Values.Min(static s => s.Rows), sizes.Values.Min(static s => s.Columns))
                : null;
        }
    }

    private async Task ApplyAsync(ResizeTerminal resize, ExecutionId terminal, CancellationToken cancellationToken)
    {
        try
        {
            // Two clients may change at once and be answered in either order: whoever finds another size afterwards sets it, so the last
            // one set is the true one.
            for (
                (int Rows, int Columns)? wanted = Smallest(terminal), applied = null;
                wanted is { } size && wanted != applied;
                applied = size, wanted = Smallest(terminal)
            )
            {
                await resize.RunAsync(terminal, size.Rows, size.Columns, cancellationToken);
            }
        }
        catch (RefusedException)
        {
            // It has ended, or its supervisor is out of reach; a window's size is nothing to fail for.
        }
    }
}
