using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// Stops and continues a child's group and those of its descendants that left the group, whom a group signal does not reach.
/// </summary>
internal static class TreePause
{
    /// <summary>A process may fork between being found and being stopped; each turn stops what the turn before has missed.</summary>
    private const int TurnsMax = 8;

    public static void Pause(Child child)
    {
        _ = child.SignalGroup(Libc.SigStop);
        for (int turn = 0; turn < TurnsMax && StopStragglers(child) > 0; turn++) { }
    }

    public static void Resume(Child child)
    {
        foreach (Descendant descendant in ProcessTree.Find())
        {
            if (descendant.GroupId != child.Process.Pid)
            {
                _ = descendant.Signal(Libc.SigCont);
            }
        }

        _ = child.SignalGroup(Libc.SigCont);
    }

    private static int StopStragglers(Child child)
    {
        int stopped = 0;
        foreach (Descendant descendant in ProcessTree.Find())
        {
            bool isRunning = ProcessStat.Of(descendant.Pid) is { State: not ('T' or 't' or 'Z' or 'X') };
            if (isRunning && descendant.GroupId != child.Process.Pid && descendant.Signal(Libc.SigStop) == 0)
            {
                stopped++;
            }
        }

        return stopped;
    }
}
