using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Children;
using Holdfast.Supervisor.Jobs;
using Holdfast.Supervisor.Kernels;
using Holdfast.Supervisor.Link;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor;

/// <summary>
/// The process itself: out of its starter's session, deaf to what is meant for others, and then one attempt held until there is nothing
/// more to hold.
/// </summary>
internal static class SupervisorProcess
{
    /// <summary>Where a server that starts us may leave a socket that is connected to it.</summary>
    private const int InheritedLink = 3;

    private const nint SignalDefault = 0;
    private const nint SignalIgnore = 1;

    /// <summary>0: held and done. 64 to 75 as in sysexits.h: nothing was launched.</summary>
    public static int Run(string attemptDirectory)
    {
        var files = new AttemptFiles(Path.GetFullPath(attemptDirectory));
        Detach(files.Log);
        try
        {
            Hold(files);
            return 0;
        }
        catch (HoldRefusedException e)
        {
            SupervisorLog.Write($"{e.Code}: {e.Message}");
            const int dataError = 65,
                temporaryFailure = 75;
            return e.Code is LinkCodes.SpecInvalid or LinkCodes.NotSupported ? dataError : temporaryFailure;
        }
        catch (Exception e)
        {
            // Dying here would break the child's pipes without a word; this is the word.
            SupervisorLog.Write($"failed: {e}");
            const int softwareError = 70;
            return softwareError;
        }
    }

    /// <summary>Points our own standard output and error at an attempt's log.</summary>
    public static void LogTo(string path)
    {
        int log = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenAppend | Libc.OpenCloseOnExec, Libc.OwnerReadWrite);
        if (log >= 0)
        {
            _ = Libc.Dup2(log, 1);
            _ = Libc.Dup2(log, 2);
            CloseUnlessStandard(log);
        }
    }

    private static void Detach(string log)
    {
        // Fails for the leader of a group, as when a shell starts us; then we have no terminal's group to leave either.
        _ = Libc.Setsid();

        // Inherited as ignored, SIGCHLD would make the system reap our child and lose its status.
        _ = Libc.Signal(Libc.SigChld, SignalDefault);
        _ = Libc.Signal(Libc.SigPipe, SignalIgnore);
        _ = Libc.Signal(Libc.SigHup, SignalIgnore);
        _ = Libc.Signal(Libc.SigInt, SignalIgnore);
        int nothing = Libc.Open("/dev/null", Libc.OpenReadWrite | Libc.OpenCloseOnExec, 0);
        _ = Libc.Dup2(nothing, 0);
        CloseUnlessStandard(nothing);
        LogTo(log);
        _ = Posix.Chdir("/");
        _ = Libc.Prctl(Posix.SubReaper, 1, 0, 0, 0);
        OomScore.LowerOwn();
    }

    /// <summary>A starter that closed our standard descriptors makes open(2) return one of them.</summary>
    private static void CloseUnlessStandard(int fd)
    {
        if (fd > 2)
        {
            _ = Libc.Close(fd);
        }
    }

    private static void Hold(AttemptFiles files)
    {
        using AttemptHold hold = AttemptHold.Take(files.Directory);
        string socket =
            hold.Spec.Socket ?? throw new HoldRefusedException(LinkCodes.SpecInvalid, "spec.json names no socket to listen at.");
        var loop = new PollLoop(TimeProvider.System);
        using AttemptWork work =
            hold.Spec.Kind == AttemptSpec.KindKernel ? KernelHold.Supervise(loop, hold) : new JobWork(loop, JobHold.Require(hold));
        var link = new LinkServer(loop, work);
        work.Link = link;

        try
        {
            // The socket is there before supervisor.json speaks of it: who reads the one can connect to the other.
            link.Listen(socket);
            _ = link.Adopt(InheritedLink);
            hold.WriteSupervisor(socket);
            work.Begin();
            loop.Run();
        }
        finally
        {
            link.Close();
        }
    }
}
