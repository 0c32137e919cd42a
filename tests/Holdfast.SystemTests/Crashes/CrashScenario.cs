using Holdfast.Protocol;

namespace Holdfast.SystemTests.Crashes;

/// <summary>What is going on while a process kills itself.</summary>
public enum CrashStory
{
    /// <summary>Jobs are submitted and run.</summary>
    Jobs,

    /// <summary>
    /// The same, and the server is killed as soon as the supervisor has died: recovery, not the live server, has to find out.
    /// </summary>
    JobsWithoutServer,

    /// <summary>A server starts, on work that another one left running.</summary>
    Recovery,

    /// <summary>What is over is deleted.</summary>
    Deletion,

    /// <summary>What was said is compressed.</summary>
    Compression,

    /// <summary>Large outputs and uploads are kept, and deleted.</summary>
    Assets,

    /// <summary>A notebook is run.</summary>
    Notebook,

    /// <summary>A kernel dies by itself and is started again.</summary>
    KernelDeath,

    /// <summary>A client sends cells to a kernel.</summary>
    ClientCells,

    /// <summary>A kernel is restarted on request, and a session is given another one.</summary>
    Session,

    /// <summary>A client saves a file.</summary>
    Contents,

    /// <summary>A reactive notebook's cells are run, one of which fails.</summary>
    Cascade,

    /// <summary>A reactive notebook with autorun is edited.</summary>
    Edit,
}

/// <summary>What may become of the job, or the cells, whose supervisor dies.</summary>
public enum Loss
{
    /// <summary>Nothing is lost: either it never started, or how it ended is known.</summary>
    None,

    /// <summary>Exactly one job is lost.</summary>
    One,

    /// <summary>One job is lost, unless what had to be known was just durable.</summary>
    AtMostOne,
}

/// <summary>One death: at the nth time that a process comes to the point.</summary>
public sealed record CrashScenario(CrashPoint Point, int Arrival, CrashStory Story, Loss Loss)
{
    /// <summary>Every scenario of the suite. A crash point that no line names makes the suite fail.</summary>
    public static IReadOnlyList<CrashScenario> All { get; } =
    [
        // The journal of a job's first steps: segment, start record and its sync; then what comes between; then the end.
        .. Supervisor(CrashPoint.JournalSegmentCreated, 1, Loss.One),
        .. Supervisor(CrashPoint.JournalAppended, 1, Loss.One),
        .. Supervisor(CrashPoint.JournalAppended, 2, Loss.One),
        .. Supervisor(CrashPoint.JournalAppended, 3, Loss.AtMostOne),
        .. Supervisor(CrashPoint.JournalAppended, 4, Loss.AtMostOne),
        .. Supervisor(CrashPoint.JournalSynced, 1, Loss.One),
        .. Supervisor(CrashPoint.JournalSynced, 2, Loss.AtMostOne),
        .. Supervisor(CrashPoint.SupervisorLocked, 1, Loss.None),
        .. Supervisor(CrashPoint.SupervisorLocked, 2, Loss.None),
        .. Supervisor(CrashPoint.SupervisorRecorded, 1, Loss.One),
        .. Supervisor(CrashPoint.SupervisorRecorded, 2, Loss.One),
        .. Supervisor(CrashPoint.SupervisorStartSynced, 1, Loss.One),
        .. Supervisor(CrashPoint.SupervisorSpawned, 1, Loss.One),
        .. Supervisor(CrashPoint.SupervisorChildRecorded, 1, Loss.One),
        .. Supervisor(CrashPoint.SupervisorAppended, 1, Loss.One),
        .. Supervisor(CrashPoint.SupervisorAppended, 3, Loss.AtMostOne),
        .. Supervisor(CrashPoint.SupervisorAppended, 5, Loss.AtMostOne),
        .. Supervisor(CrashPoint.SupervisorReaped, 1, Loss.One),
        .. Supervisor(CrashPoint.SupervisorExitSynced, 1, Loss.None),
        .. Supervisor(CrashPoint.SupervisorExitRecorded, 1, Loss.None),
        .. Supervisor(CrashPoint.SupervisorExitRecorded, 2, Loss.None),
        // The server's commits, one by one: of submits, claims, starts and outcomes.
        // The first two are the start-up's own: that it began, and its report.
        .. Enumerable.Range(1, 8).Select(n => Server(CrashPoint.ServerBeforeCommit, n)),
        .. Enumerable.Range(1, 8).Select(n => Server(CrashPoint.ServerAfterCommit, n)),
        Server(CrashPoint.ServerJobClaimed, 1),
        Server(CrashPoint.ServerJobClaimed, 2),
        Server(CrashPoint.ServerSpecWritten, 1),
        Server(CrashPoint.ServerSpecWritten, 3),
        Server(CrashPoint.ServerSupervisorSpawned, 1),
        Server(CrashPoint.ServerSupervisorSpawned, 2),
        // Callbacks of those jobs' ends: before the attempt's row, between row and send, and after the answer.
        Server(CrashPoint.ServerCallbackTaken, 1),
        Server(CrashPoint.ServerCallbackTaken, 3),
        Server(CrashPoint.ServerCallbackBegun, 1),
        Server(CrashPoint.ServerCallbackBegun, 2),
        Server(CrashPoint.ServerCallbackSent, 1),
        Server(CrashPoint.ServerCallbackSent, 2),
        new(CrashPoint.ServerRecoveryBegun, 1, CrashStory.Recovery, Loss.None),
        new(CrashPoint.ServerRecoveryPhaseOver, 1, CrashStory.Recovery, Loss.None), // RecoveryCrashTests dies at each of them in turn.
        new(CrashPoint.ServerBeforeCommit, 1, CrashStory.Recovery, Loss.None),
        new(CrashPoint.ServerBeforeCommit, 2, CrashStory.Recovery, Loss.None),
        new(CrashPoint.ServerAfterCommit, 1, CrashStory.Recovery, Loss.None),
        new(CrashPoint.ServerKernelSpecWritten, 1, CrashStory.Notebook, Loss.None),
        new(CrashPoint.ServerSupervisorSpawned, 1, CrashStory.Notebook, Loss.None),
        new(CrashPoint.ServerCellHandedOver, 1, CrashStory.Notebook, Loss.None),
        new(CrashPoint.ServerCellHandedOver, 3, CrashStory.Notebook, Loss.None),
        new(CrashPoint.ServerFileWritten, 1, CrashStory.Notebook, Loss.None),
        new(CrashPoint.ServerFilesExchanged, 1, CrashStory.Notebook, Loss.None),
        new(CrashPoint.ServerNotebookSaved, 1, CrashStory.Notebook, Loss.None),
        .. Enumerable.Range(3, 6).Select(n => new CrashScenario(CrashPoint.ServerAfterCommit, n, CrashStory.Notebook, Loss.None)),
        new(CrashPoint.ServerRunFinished, 1, CrashStory.Notebook, Loss.None),
        new(CrashPoint.ServerJournalSynced, 1, CrashStory.ClientCells, Loss.None),
        new(CrashPoint.ServerJournalSynced, 2, CrashStory.ClientCells, Loss.None),
        .. Enumerable.Range(4, 3).Select(n => new CrashScenario(CrashPoint.ServerAfterCommit, n, CrashStory.ClientCells, Loss.None)),
        // Between a kernel's death and its next incarnation: the first of each is its start, which is acknowledged before.
        new(CrashPoint.ServerKernelRestartDue, 1, CrashStory.KernelDeath, Loss.None),
        new(CrashPoint.ServerKernelSpecWritten, 2, CrashStory.KernelDeath, Loss.None),
        new(CrashPoint.ServerSupervisorSpawned, 2, CrashStory.KernelDeath, Loss.None),
        new(CrashPoint.ServerKernelStoppedToRestart, 1, CrashStory.Session, Loss.None),
        new(CrashPoint.ServerSessionMoved, 1, CrashStory.Session, Loss.None),
        .. Enumerable.Range(1, 5).Select(n => new CrashScenario(CrashPoint.ServerAfterCommit, n, CrashStory.Session, Loss.None)),
        // A cascade: planned, handed over, its cells one by one, saved.
        new(CrashPoint.ServerCascadePlanned, 1, CrashStory.Cascade, Loss.None),
        new(CrashPoint.ServerCellHandedOver, 4, CrashStory.Cascade, Loss.None),
        .. Enumerable.Range(1, 3).Select(n => new CrashScenario(CrashPoint.ServerAfterCommit, 2 * n, CrashStory.Cascade, Loss.None)),
        new(CrashPoint.ServerNotebookSaved, 1, CrashStory.Cascade, Loss.None),
        new(CrashPoint.SupervisorRequestJournalled, 7, CrashStory.Cascade, Loss.AtMostOne),
        new(CrashPoint.SupervisorOutcomeSynced, 2, CrashStory.Cascade, Loss.AtMostOne),
        // An edit: registered, brought into the file, and what it made stale planned and run, without anybody asking for it.
        new(CrashPoint.ServerCellRegistered, 1, CrashStory.Edit, Loss.None),
        new(CrashPoint.ServerFileWritten, 2, CrashStory.Edit, Loss.None), // The first is the mode's.
        new(CrashPoint.ServerCascadePlanned, 1, CrashStory.Edit, Loss.None),
        .. Enumerable.Range(2, 4).Select(n => new CrashScenario(CrashPoint.ServerAfterCommit, n, CrashStory.Edit, Loss.None)),
        new(CrashPoint.ServerRetentionCommitted, 1, CrashStory.Deletion, Loss.None),
        new(CrashPoint.ServerSetAside, 1, CrashStory.Deletion, Loss.None),
        new(CrashPoint.ServerSetAside, 2, CrashStory.Deletion, Loss.None),
        new(CrashPoint.ServerSegmentPacked, 1, CrashStory.Compression, Loss.None),
        new(CrashPoint.ServerSegmentReplaced, 1, CrashStory.Compression, Loss.None),
        new(CrashPoint.ServerSegmentReplaced, 2, CrashStory.Compression, Loss.None),
        // An asset: of a cell, of an upload, and its deletion.
        new(CrashPoint.ServerAssetWritten, 1, CrashStory.Assets, Loss.None),
        new(CrashPoint.ServerAssetPlaced, 1, CrashStory.Assets, Loss.None),
        new(CrashPoint.ServerAssetStored, 1, CrashStory.Assets, Loss.None),
        new(CrashPoint.ServerAssetWritten, 2, CrashStory.Assets, Loss.None),
        new(CrashPoint.ServerAssetPlaced, 2, CrashStory.Assets, Loss.None),
        new(CrashPoint.ServerAssetForgotten, 1, CrashStory.Assets, Loss.None),
        new(CrashPoint.ServerSetAside, 1, CrashStory.Assets, Loss.None),
        // A kernel's supervisor: what was not sent to the kernel is cancelled, what was sent and not answered is lost.
        Kernel(CrashPoint.SupervisorLocked, 1, Loss.None),
        Kernel(CrashPoint.SupervisorRecorded, 1, Loss.None),
        Kernel(CrashPoint.SupervisorSpawned, 1, Loss.None),
        Kernel(CrashPoint.SupervisorRequestJournalled, 1, Loss.None), // Of our own questions to the kernel, before any cell.
        Kernel(CrashPoint.SupervisorRequestJournalled, 6, Loss.AtMostOne), // The first cell, or one more question to a slow kernel.
        Kernel(CrashPoint.SupervisorOutcomeSynced, 1, Loss.One),
        // The first alone, then as many as come in its pace: the last, or not.
        Kernel(CrashPoint.SupervisorOutcomeSynced, 2, Loss.AtMostOne),
        Kernel(CrashPoint.SupervisorAppended, 20, Loss.AtMostOne),
        Kernel(CrashPoint.SupervisorAppended, 40, Loss.AtMostOne),
        Kernel(CrashPoint.SupervisorReaped, 1, Loss.None),
        Kernel(CrashPoint.SupervisorExitSynced, 1, Loss.None),
        Kernel(CrashPoint.SupervisorExitRecorded, 1, Loss.None),
    ];

    public override string ToString() => $"{Point}:{Arrival} during {Story}";

    private static CrashScenario[] Supervisor(CrashPoint point, int arrival, Loss loss) =>
        [new(point, arrival, CrashStory.Jobs, loss), new(point, arrival, CrashStory.JobsWithoutServer, loss)];

    private static CrashScenario Kernel(CrashPoint point, int arrival, Loss loss) => new(point, arrival, CrashStory.Notebook, loss);

    private static CrashScenario Server(CrashPoint point, int arrival) => new(point, arrival, CrashStory.Jobs, Loss.None);
}
