using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// Takes the exit status of every child that has ended: the one that was launched, and the orphans a subreaper inherits. Allowed to wait
/// for any child only because nothing else in this process starts any.
/// </summary>
internal static unsafe class Reaper
{
    /// <summary>Reaps all that have ended; their number. The status of <paramref name="child"/> goes to it.</summary>
    public static int Reap(Child? child)
    {
        int reaped = 0;
        while (true)
        {
            int status;
            Posix.ResourceUse use;
            int pid = Posix.Wait4(-1, &status, Posix.WaitNoHang, &use);
            if (pid > 0)
            {
                reaped++;
                if (pid == child?.Process.Pid)
                {
                    child.TakeStatus(WaitStatus.Decode(status), use);
                }
            }
            else if (pid == 0 || Libc.Errno != Libc.Eintr)
            {
                return reaped;
            }
        }
    }

    /// <summary>True while anything lives below this process. Costs one system call, where looking through /proc costs many.</summary>
    public static bool HasChildren()
    {
        Posix.SignalDetails details;
        const int any = 0;
        return Posix.WaitId(any, 0, &details, Posix.WaitExited | Posix.WaitNoHang | Posix.WaitLeaveThere) == 0;
    }
}
