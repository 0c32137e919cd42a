namespace Holdfast.Engine.Executions;

/// <summary>The states of DESIGN section 6. Names on the wire and in the store are these in camelCase.</summary>
public enum ExecutionState
{
    Waiting,
    Queued,
    Starting,
    Running,
    Paused,
    Blocked,
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
    Lost,
}

/// <summary>Names and classes of states.</summary>
public static class ExecutionStates
{
    private static readonly string[] Names =
    [
        "waiting",
        "queued",
        "starting",
        "running",
        "paused",
        "blocked",
        "succeeded",
        "failed",
        "cancelled",
        "timedOut",
        "lost",
    ];

    public static IReadOnlyList<string> All => Names;

    public static bool IsTerminal(this ExecutionState state) => state >= ExecutionState.Succeeded;

    /// <summary>True when nothing more will come of it by itself: it has ended, or may not run.</summary>
    public static bool IsSettled(this ExecutionState state) => state.IsTerminal() || state == ExecutionState.Blocked;

    /// <summary>True while an attempt exists that may be running.</summary>
    public static bool IsActive(this ExecutionState state) =>
        state is ExecutionState.Starting or ExecutionState.Running or ExecutionState.Paused;

    public static string Name(this ExecutionState state) => Names[(int)state];

    public static bool TryParse(string name, out ExecutionState state)
    {
        int index = Array.IndexOf(Names, name);
        state = (ExecutionState)index;
        return index >= 0;
    }
}
