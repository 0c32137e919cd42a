using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Children;

/// <summary>What the machine lets us know about kills for lack of memory during one child's life.</summary>
public enum OomEvidence
{
    None,

    /// <summary>Some process of the machine was killed for it.</summary>
    SomewhereOnTheMachine,

    /// <summary>Some process of our own control group was.</summary>
    InOwnGroup,

    /// <summary>The kernel's log names the very process.</summary>
    NamesTheProcess,

    /// <summary>Some process of the attempt's own group, which holds its limit.</summary>
    InOwnLimit,
}

/// <summary>
/// Remembers the counts of out-of-memory kills when a child starts and compares them when it has died by a SIGKILL. Reads what it may: the
/// own control group's memory.events (v2) or memory.oom_control (v1), the kernel's log, and /proc/vmstat.
/// </summary>
internal sealed class OomWatch
{
    private const int KernelLogBytesMax = 8192;
    private readonly string _root;
    private readonly string? _groupFile;
    private readonly long _groupKills;
    private readonly long _machineKills;
    private readonly string? _limitFile;

    /// <param name="root">"/", or what a test puts in its place.</param>
    /// <param name="limitFile">The memory.events of a group that holds nothing but this child and its descendants.</param>
    public OomWatch(string root, string? limitFile = null)
    {
        _root = root;
        _limitFile = limitFile;
        _groupFile = GroupFile(root);
        _groupKills = GroupKills();
        _machineKills = MachineKills();
    }

    /// <summary>What can be said now about the death of this process, which was started by us after this watch began.</summary>
    public OomEvidence Evidence(ProcessIdentity process)
    {
        if (_limitFile is not null && Count(RawFile.Read(_limitFile), "oom_kill"u8) > 0)
        {
            return OomEvidence.InOwnLimit;
        }

        if (KernelLogNames(process))
        {
            return OomEvidence.NamesTheProcess;
        }

        if (GroupKills() > _groupKills)
        {
            return OomEvidence.InOwnGroup;
        }

        return MachineKills() > _machineKills ? OomEvidence.SomewhereOnTheMachine : OomEvidence.None;
    }

    /// <summary>True for a line such as "Out of memory: Killed process 42 (python3) total-vm:..." about that pid.</summary>
    internal static bool NamesKilled(ReadOnlySpan<byte> line, int pid)
    {
        ReadOnlySpan<byte> mark = "Killed process "u8;
        int at = line.IndexOf(mark);
        return at >= 0 && System.Buffers.Text.Utf8Parser.TryParse(line[(at + mark.Length)..], out int named, out _) && named == pid;
    }

    /// <summary>The number after a name at the start of a line, or 0.</summary>
    internal static long Count(ReadOnlySpan<byte> content, ReadOnlySpan<byte> name)
    {
        while (!content.IsEmpty)
        {
            int end = content.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? content : content[..end];
            if (
                line.StartsWith(name)
                && line.Length > name.Length
                && line[name.Length] == (byte)' '
                && System.Buffers.Text.Utf8Parser.TryParse(line[(name.Length + 1)..], out long count, out _)
            )
            {
                return count;
            }

            content = end < 0 ? default : content[(end + 1)..];
        }

        return 0;
    }

    private static string? GroupFile(string root)
    {
        // Lines of "hierarchy:controllers:path"; v2 is "0::path", v1's memory controller says so.
        string text = Encoding.UTF8.GetString(RawFile.Read(root + "proc/self/cgroup") ?? []);
        string? found = null;
        foreach (string line in text.Split('\n'))
        {
            string[] parts = line.Split(':', 3);
            if (parts.Length == 3 && parts[1] == "memory")
            {
                return root + "sys/fs/cgroup/memory" + parts[2].TrimEnd('/') + "/memory.oom_control";
            }

            if (parts.Length == 3 && parts[1].Length == 0)
            {
                found = root + "sys/fs/cgroup" + parts[2].TrimEnd('/') + "/memory.events";
            }
        }

        return found;
    }

    private long GroupKills() => _groupFile is null ? 0 : Count(RawFile.Read(_groupFile), "oom_kill"u8);

    private long MachineKills() => Count(RawFile.Read(_root + "proc/vmstat"), "oom_kill"u8);

    private unsafe bool KernelLogNames(ProcessIdentity process)
    {
        int fd = Libc.Open(_root + "dev/kmsg", Libc.OpenReadOnly | Libc.OpenNonBlock | Libc.OpenCloseOnExec, 0);
        if (fd < 0)
        {
            return false;
        }

        // The log goes back further than this process: an earlier one may have had its number. Times are microseconds since boot, start
        // ticks are hundredths of seconds; the two clocks may differ by a little.
        const long microsecondsPerTick = 10_000,
            slackMicroseconds = 1_000_000;
        long earliest = (process.StartTicks * microsecondsPerTick) - slackMicroseconds;
        bool isNamed = false;
        byte* record = stackalloc byte[KernelLogBytesMax];
        while (!isNamed)
        {
            nint n = Libc.Read(fd, record, KernelLogBytesMax);
            if (n < 0 && Libc.Errno == Posix.Epipe)
            {
                // Overwritten while we read; the next read goes on behind it.
                continue;
            }

            if (n <= 0)
            {
                break;
            }

            var line = new ReadOnlySpan<byte>(record, (int)n);
            isNamed = NamesKilled(line, process.Pid) && Time(line) >= earliest;
        }

        _ = Libc.Close(fd);
        return isNamed;
    }

    /// <summary>The third of "priority,sequence,microseconds,flags;text".</summary>
    private static long Time(ReadOnlySpan<byte> record)
    {
        for (int field = 0; field < 2; field++)
        {
            int comma = record.IndexOf((byte)',');
            if (comma < 0)
            {
                return 0;
            }

            record = record[(comma + 1)..];
        }

        return System.Buffers.Text.Utf8Parser.TryParse(record, out long time, out _) ? time : 0;
    }
}
