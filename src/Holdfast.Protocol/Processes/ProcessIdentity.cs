using System.Text;

namespace Holdfast.Protocol.Processes;

/// <summary>
/// A process for all time: boot id, pid and start ticks. A pid alone is reused; these three together are not.
/// Nothing is signalled whose identity does not match what was recorded.
/// </summary>
public readonly record struct ProcessIdentity(string BootId, int Pid, long StartTicks)
{
    private static readonly string CurrentBootId = ReadBootId();

    public static string BootIdNow => CurrentBootId;

    public static ProcessIdentity Current => new(CurrentBootId, Environment.ProcessId, ProcessStat.Of(Environment.ProcessId)!.StartTicks);

    /// <summary>The identity of a live process; null when there is none with that pid.</summary>
    public static ProcessIdentity? Of(int pid) =>
        ProcessStat.Of(pid) is { } stat ? new ProcessIdentity(CurrentBootId, pid, stat.StartTicks) : null;

    /// <summary>True when this very process still exists (a zombie counts as gone: it runs no more).</summary>
    public bool IsAlive() =>
        BootId == CurrentBootId && ProcessStat.Of(Pid) is { State: not ('Z' or 'X') } stat && stat.StartTicks == StartTicks;

    private static string ReadBootId()
    {
        const string path = "/proc/sys/kernel/random/boot_id";
        byte[] content = RawFile.Read(path) ?? throw Libc.Failure("open", path);
        return Encoding.ASCII.GetString(content, 0, content.Length - (content.Length > 0 && content[^1] == '\n' ? 1 : 0));
    }
}
