using System.Diagnostics;

namespace Holdfast.Protocol;

/// <summary>
/// Every durable step of server and supervisor. Each member has a scenario in the crash suite; one without fails the build.
/// </summary>
public enum CrashPoint
{
    None,

    /// <summary>A segment exists with its header, and no record yet.</summary>
    JournalSegmentCreated,

    /// <summary>A payload is whole in the page cache, and nobody was told.</summary>
    JournalAppended,

    /// <summary>Everything appended survives a power failure, and nobody was told.</summary>
    JournalSynced,

    /// <summary>The lock is held and nothing is written: the attempt never ran.</summary>
    SupervisorLocked,

    /// <summary>supervisor.json is durable and the child is not launched: from here on it may have run.</summary>
    SupervisorRecorded,

    /// <summary>The start record is durable and the child is not launched.</summary>
    SupervisorStartSynced,

    /// <summary>The child runs and nothing says so yet.</summary>
    SupervisorSpawned,

    /// <summary>child.json is written, and nobody was told.</summary>
    SupervisorChildRecorded,

    /// <summary>Something was appended to an attempt's journal and may not be synced.</summary>
    SupervisorAppended,

    /// <summary>A request to a kernel is in the journal and may not have been sent.</summary>
    SupervisorRequestJournalled,

    /// <summary>A request's reply and idle are durable, the next request is at the kernel, and nobody was told.</summary>
    SupervisorOutcomeSynced,

    /// <summary>The child is reaped; its status is known to this process alone.</summary>
    SupervisorReaped,

    /// <summary>The exit record is durable in the journal; exit.json is not written.</summary>
    SupervisorExitSynced,

    /// <summary>exit.json is durable, and nobody was told.</summary>
    SupervisorExitRecorded,

    /// <summary>Every change of the batch has run; none is durable.</summary>
    ServerBeforeCommit,

    /// <summary>The batch is durable; no caller has been told and no effect has run.</summary>
    ServerAfterCommit,

    /// <summary>Outcomes and claims are in the transaction, which is not committed.</summary>
    ServerJobClaimed,

    /// <summary>The claim is durable and spec.json is written; no supervisor knows of it.</summary>
    ServerSpecWritten,

    /// <summary>A kernel's incarnation is durable and its spec.json is written; no supervisor knows of it.</summary>
    ServerKernelSpecWritten,

    /// <summary>Recovery knows which attempts are open and has not yet looked at any.</summary>
    ServerRecoveryBegun,

    /// <summary>One phase of recovery is over; those behind it have not begun.</summary>
    ServerRecoveryPhaseOver,

    /// <summary>The rows of what is older than is kept are gone; the folders are not.</summary>
    ServerRetentionCommitted,

    /// <summary>A packed segment is whole and synced under its temporary name; the plain one is still in its place.</summary>
    ServerSegmentPacked,

    /// <summary>The packed segment has the plain one's name, which may not be durable yet.</summary>
    ServerSegmentReplaced,

    /// <summary>A folder is in the trash, and not deleted.</summary>
    ServerSetAside,

    /// <summary>An asset's bytes are synced under a temporary name.</summary>
    ServerAssetWritten,

    /// <summary>An asset's file has its name; no row knows it.</summary>
    ServerAssetPlaced,

    /// <summary>An asset's row is durable; nobody was told, and nothing that refers to it is written.</summary>
    ServerAssetStored,

    /// <summary>An asset's row is gone; its file is not.</summary>
    ServerAssetForgotten,

    /// <summary>A cell is about to be handed to its kernel's supervisor.</summary>
    ServerCellHandedOver,

    /// <summary>A cell's edit and its verdict are durable; it is not in the file, and nothing of what follows from it was done.</summary>
    ServerCellRegistered,

    /// <summary>A cascade and its cells are durable; the supervisor has not been told of any.</summary>
    ServerCascadePlanned,

    /// <summary>A cell that a client sent is over and its journal is synced; its row does not say so yet.</summary>
    ServerJournalSynced,

    /// <summary>A finished run's outputs are in its notebook; its row does not say so yet.</summary>
    ServerNotebookSaved,

    /// <summary>A kernel's death and the decision to start it again are durable; its next incarnation is not.</summary>
    ServerKernelRestartDue,

    /// <summary>A run is over in the store; the kernel that it had started still runs.</summary>
    ServerRunFinished,

    /// <summary>A person's file is whole and synced under its temporary name; the old one is still in its place.</summary>
    ServerFileWritten,

    /// <summary>
    /// The server has let a notebook's new file and the one it replaces change places, and has not looked yet at what came out.
    /// </summary>
    ServerFilesExchanged,

    /// <summary>A kernel was ended to be started again, which is durable; its next incarnation is not.</summary>
    ServerKernelStoppedToRestart,

    /// <summary>A session has its new kernel, and the old one, which it owes the end of, still runs.</summary>
    ServerSessionMoved,

    /// <summary>A callback is due and taken up; no attempt of it is stored.</summary>
    ServerCallbackTaken,

    /// <summary>An attempt of a callback is durable; nothing is sent.</summary>
    ServerCallbackBegun,

    /// <summary>A callback's receiver has answered; nothing says so yet.</summary>
    ServerCallbackSent,

    /// <summary>The supervisor process exists; the server has not yet spoken with it.</summary>
    ServerSupervisorSpawned,
}

/// <summary>
/// Marks the durable steps. In a build with CRASH_POINTS the process named by HOLDFAST_CRASH_POINT (a member's name, optionally
/// <c>:N</c> for the Nth arrival) kills itself there with SIGKILL, once for each file named by HOLDFAST_CRASH_ONCE; in any other build a
/// call compiles to nothing. With HOLDFAST_CRASH_LOSES it is the machine that dies there.
/// </summary>
public static class CrashPoints
{
    [Conditional("CRASH_POINTS")]
    public static void Reach(CrashPoint point) => Armed.Instance.Reach(point);

    private sealed class Armed
    {
        public static readonly Armed Instance = new();
        private readonly CrashPoint _point;
        private readonly string? _onceFile = Environment.GetEnvironmentVariable("HOLDFAST_CRASH_ONCE");
        private int _arrivalsLeft;

        private Armed()
        {
            string[] parts = (Environment.GetEnvironmentVariable("HOLDFAST_CRASH_POINT") ?? "None").Split(':');
            _ = Enum.TryParse(parts[0], out _point);
            _arrivalsLeft = parts.Length > 1 ? int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture) : 1;
        }

        public void Reach(CrashPoint point)
        {
            if (point != _point || _point == CrashPoint.None || Interlocked.Decrement(ref _arrivalsLeft) != 0)
            {
                return;
            }

            if (_onceFile is not null)
            {
                // Exclusive creation decides: a restarted process finds the file and goes on.
                int fd = Processes.Libc.Open(
                    _onceFile,
                    Processes.Libc.OpenReadWrite | Processes.Libc.OpenCreate | Processes.Libc.OpenExclusive,
                    Processes.Libc.OwnerReadWrite
                );
                if (fd < 0)
                {
                    return;
                }
            }

            PowerLoss.Strike();
            PowerLoss.Strike();
            _ = Processes.Libc.Kill(Environment.ProcessId, Processes.Libc.SigKill);
        }
    }
}
