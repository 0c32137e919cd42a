namespace Holdfast.Engine.Recovery.Orphans;

/// <summary>What a thing without an owner is.</summary>
public enum OrphanKind
{
    /// <summary>The folder of an attempt that the store does not know.</summary>
    AttemptFolder,

    /// <summary>A supervisor that holds the lock of an attempt that the store does not know, or knows to be over.</summary>
    Supervisor,

    /// <summary>A supervisor's socket at which nobody listens.</summary>
    Socket,

    /// <summary>The file of an asset that the store does not know.</summary>
    AssetFile,

    /// <summary>A name under which a file was being written.</summary>
    TemporaryFile,

    /// <summary>An empty control group of an attempt that is over.</summary>
    ControlGroup,

    /// <summary>The folder with the marks of a deleted kernel's clients.</summary>
    ClientMarks,

    /// <summary>A row of an attempt that is open, and of which nothing in the house knows.</summary>
    Row,

    /// <summary>Something that was set aside by a sweep before, and whose grace is over.</summary>
    Discarded,

    /// <summary>Something in a folder of ours that is not proven to be ours: told of, and never touched.</summary>
    Foreign,
}

/// <summary>What a sweep does about it.</summary>
public enum OrphanAction
{
    None,

    /// <summary>Moved into the trash, where it stays for the grace: the first of two steps.</summary>
    SetAside,

    /// <summary>Deleted for good: the second step, or the only one for what has no content.</summary>
    Delete,

    /// <summary>Marked; ended when it is still without an owner after the grace.</summary>
    Mark,

    /// <summary>Asked to end its work.</summary>
    Stop,

    /// <summary>Judged by its folder, as at a start-up.</summary>
    Judge,
}

/// <summary>One thing that nobody owns: where it is, why it counts as that, and what is done about it.</summary>
public sealed record Orphan(OrphanKind Kind, string Subject, OrphanAction Action, string Reason);

/// <summary>When orphans are looked for, and how long what was set aside is kept.</summary>
public sealed record OrphanOptions
{
    /// <summary>From one sweep to the next. Default: 6 hours; nothing depends on it but disk space.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromHours(6);

    /// <summary>From the start of a server to its first sweep. Default: 15 seconds; whoever has waited for the start goes first.</summary>
    public TimeSpan StartDelay { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// From being set aside to being deleted, and from being marked to being ended. Default: 24 hours, so that a mistake is seen in time.
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromHours(24);

    /// <summary>What is younger is left alone: it may be in the making. Default: 10 minutes.</summary>
    public TimeSpan MinimumAge { get; init; } = TimeSpan.FromMinutes(10);
}
