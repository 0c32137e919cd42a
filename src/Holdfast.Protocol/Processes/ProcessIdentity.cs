using System.Globalization;

namespace Holdfast.Protocol.Processes;

/// <summary>
/// A process for all time: boot id, pid and start ticks. A pid alone is reused; these three together are not.
/// Nothing is signalled whose identity does not match what was recorded.
/// </summary>
public readonly record struct ProcessIdentity(string BootId, int Pid, long StartTicks)
{
    private static readonly string CurrentBootId = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    public static string BootIdNow => CurrentBootId;

    public static ProcessIdentity Current => Of(Environment.ProcessId)!.Value;

    /// <summary>The identity of a live process; null when there is none with that pid.</summary>
    public static ProcessIdentity? Of(int pid) => ReadStat(pid) is { } stat ? new ProcessIdentity(CurrentBootId, pid, stat.StartTicks) : null;

    /// <summary>True when this very process still exists (a zombie counts as gone: it runs no more).</summary>
    public bool IsAlive() => BootId == CurrentBootId && ReadStat(Pid) is { State: not ('Z' or 'X') } stat && stat.StartTicks == StartTicks;

    /// <summary>The state letter of proc(5) (R, S, D, T, t, Z, X) and the start ticks; null when the process is gone.</summary>
    public static (char State, long StartTicks, int ParentPid, int SessionId)? ReadStat(int pid)
    {
        string text;
        try
        {
            text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        }
        catch (IOException)
        {
            return null;
        }

        // The command name stands in parentheses and may itself contain both spaces and parentheses.
        int end = text.LastIndexOf(')');
        if (end < 0)
        {
            return null;
        }

        string[] fields = text[(end + 2)..].Split(' ');
        return (fields[0][0],
            long.Parse(fields[19], CultureInfo.InvariantCulture),
            int.Parse(fields[1], CultureInfo.InvariantCulture),
            int.Parse(fields[3], CultureInfo.InvariantCulture));
    }
}
