namespace Holdfast.Engine.Recovery;

/// <summary>
/// The phases of this product's start-up. A feature that has something to put right after a crash adds its own here, and its body where the
/// engine is put together.
/// </summary>
public static class RecoveryPhases
{
    public const string Store = "store";
    public const string Files = "files";
    public const string Executions = "executions";
    public const string Locks = "locks";
    public const string Jobs = "jobs";
    public const string Kernels = "kernels";
    public const string Revivals = "revivals";
    public const string Lines = "lines";
    public const string Orphans = "orphans";
    public const string Queue = "queue";
    public const string Assets = "assets";
    public const string Callbacks = "callbacks";
    public const string Edits = "edits";

    private const string AskDoctor =
        "Run 'holdfast doctor' on this data directory; its findings name the remedy. Keep a copy of the directory before you change anything in it.";

    public static IReadOnlyList<PhaseDeclaration> Declared { get; } =
    [
        new(Store, [], AskDoctor) { IsCritical = true, IsRepeatable = false },
        new(Files, [Store], "Look at the permissions of the data directory, then: holdfast recovery retry files."),
        new(Executions, [Store, Files], AskDoctor) { IsCritical = true },
        new(Locks, [Executions], "holdfast locks lists the lines; holdfast recovery retry locks looks at them again."),
        new(Jobs, [Executions], "holdfast recovery retry jobs tries those again that could not be judged."),
        new(Kernels, [Executions], "holdfast recovery retry kernels tries those again that could not be judged."),
        // An incarnation that this server has committed and not launched yet must not be judged as one that an earlier server left.
        new(Revivals, [Kernels], "holdfast kernels lists them; whoever restarts one that says 'restarting' has it at once.")
        {
            IsRepeatable = false,
        },
        new(Lines, [Locks, Jobs, Kernels], "holdfast locks lists the lines; holdfast recovery retry lines looks at them again."),
        // Only when it is known who lives: live work would be swept with the dead.
        new(
            Orphans,
            [Jobs, Kernels],
            "holdfast recovery orphans --dry-run shows what would be swept; holdfast recovery retry orphans sweeps it."
        )
        {
            NeedsSuccess = true,
        },
        new(Assets, [Store], "holdfast assets lists them; holdfast recovery retry assets looks at them again."),
        new(Queue, [Lines], AskDoctor) { IsCritical = true, IsRepeatable = false },
        new(Callbacks, [Queue], "holdfast callbacks lists them; holdfast recovery retry callbacks sends what is due."),
        // A cascade that is planned must find the kernel that the notebook has.
        new(
            Edits,
            [Revivals, Queue],
            "holdfast recovery retry edits settles the edits of reactive notebooks; so does the next edit of each."
        )
        {
            NeedsSuccess = true,
        },
    ];
}
