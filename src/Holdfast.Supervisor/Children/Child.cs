using System.Globalization;
using Holdfast.Protocol;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Children;

/// <summary>Why a command did not become a process, in the shell's exit codes.</summary>
internal sealed record StartFailure(int ExitCode, string Reason)
{
    /// <summary>Neither missing nor forbidden: the folder, or the system, would not have it.</summary>
    public const int OtherCode = 125;
}

/// <summary>
/// The process that was launched, in a session and group of its own: its identity, the end of it by pidfd, and signals to its group for as
/// long as its number is surely its own, which is until it is reaped.
/// </summary>
internal sealed unsafe class Child : IDisposable
{
    private readonly LoopCallback _ended;
    private readonly PollRegistration _registration;
    private int _pidfd;

    private Child(PollLoop loop, int pid, LoopCallback ended)
    {
        // Not reaped yet, so it is there, be it as a zombie.
        Process = ProcessIdentity.Of(pid) ?? new ProcessIdentity(ProcessIdentity.BootIdNow, pid, 0);
        StartedAtUnixNanoseconds = loop.UnixNanoseconds;
        _ended = ended;
        _pidfd = Libc.PidfdOpen(pid);
        if (_pidfd < 0)
        {
            throw Libc.Failure("pidfd_open", pid.ToString(CultureInfo.InvariantCulture));
        }

        _registration = loop.Add(_pidfd, PollEvents.Readable, _ => Reaper.Reap(this));
    }

    public ProcessIdentity Process { get; }

    public long StartedAtUnixNanoseconds { get; }

    public bool IsReaped { get; private set; }

    public long EndedAtUnixNanoseconds { get; private set; }

    public WaitStatus Status { get; private set; }

    public Posix.ResourceUse Use { get; private set; }

    /// <summary>A SIGKILL was sent by us or on request, so its death by one needs no other explanation.</summary>
    public bool WasKilled { get; set; }

    /// <summary>
    /// Starts <paramref name="start"/>, whose command and folder are checked first; null and why when it cannot be started.
    /// </summary>
    /// <param name="ended">Called once, when its status has been taken.</param>
    public static Child? Launch(PollLoop loop, ChildStart start, LoopCallback ended, out StartFailure? failure)
    {
        string directory = start.WorkingDirectory ?? "/";
        if (!Directory.Exists(directory))
        {
            failure = new StartFailure(StartFailure.OtherCode, $"The folder {directory} to run in does not exist.");
            return null;
        }

        var environment = (string[])start.Environment;
        string? file = CommandSearch.Find(start.Argv[0], directory, environment, out int exitCode, out string reason);
        if (file is null)
        {
            failure = new StartFailure(exitCode, reason);
            return null;
        }

        int pid = ChildProcess.Spawn(start with { File = file, WorkingDirectory = directory });
        CrashPoints.Reach(CrashPoint.SupervisorSpawned);
        if (pid < 0)
        {
            failure = Failure(-pid, start.Argv[0], directory);
            return null;
        }

        failure = null;
        return new Child(loop, pid, ended);
    }

    /// <summary>Signals its whole group; false when it has been reaped, or the group has nobody left to signal.</summary>
    public bool SignalGroup(int signal) => !IsReaped && Libc.Kill(-Process.Pid, signal) == 0;

    public void TakeStatus(WaitStatus status, Posix.ResourceUse use)
    {
        IsReaped = true;
        Status = status;
        Use = use;
        EndedAtUnixNanoseconds = (TimeProvider.System.GetUtcNow().Ticks - DateTime.UnixEpoch.Ticks) * 100;
        CloseWatch();
        _ended();
    }

    public void Dispose() => CloseWatch();

    private static StartFailure Failure(int errno, string command, string directory)
    {
        const int noEntry = 2,
            tooBig = 7,
            noExecFormat = 8,
            noAccess = 13,
            notDirectory = 20;
        return errno switch
        {
            noEntry => new StartFailure(CommandSearch.NotFoundCode, $"The command '{command}' names an interpreter that does not exist."),
            noExecFormat => new StartFailure(
                CommandSearch.NotExecutableCode,
                $"The command '{command}' is neither a program nor a script with a #! line."
            ),
            noAccess when Posix.Access(directory, 1) != 0 => new StartFailure(
                StartFailure.OtherCode,
                $"The folder {directory} may not be entered."
            ),
            noAccess => new StartFailure(CommandSearch.NotExecutableCode, $"The command '{command}' may not be executed."),
            tooBig => new StartFailure(
                CommandSearch.NotExecutableCode,
                $"The arguments and environment of '{command}' are too long for the system."
            ),
            notDirectory => new StartFailure(StartFailure.OtherCode, $"{directory} is not a folder."),
            _ => new StartFailure(
                StartFailure.OtherCode,
                $"The system would not start '{command}': {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})."
            ),
        };
    }

    private void CloseWatch()
    {
        if (_pidfd >= 0)
        {
            _registration.Remove();
            _ = Libc.Close(_pidfd);
            _pidfd = -1;
        }
    }
}
