using System.Globalization;
using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// A control group (v2) of an attempt's own, in which the system itself holds limits on memory and processor time; past the one on memory
/// it ends the whole group at once. There is one only where the folder beside our own group was given to us: systemd's <c>Delegate=</c>
/// marks it so, and its <c>DelegateSubgroup=</c> keeps it free of processes.
/// </summary>
internal sealed unsafe class ControlGroup
{
    private readonly string _folder;

    private ControlGroup(string folder) => _folder = folder;

    /// <summary>Where the system counts its kills.</summary>
    public string EventsFile => _folder + "/memory.events";

    /// <summary>Makes the group, with nobody in it; null where that is not ours to do.</summary>
    /// <param name="root">"/", or what a test puts in its place.</param>
    /// <param name="isDelegated">Whether a folder was given to us; the mark is an attribute that not every file system of a test can
    /// have.</param>
    public static ControlGroup? TryMake(string root, string name, Func<string, bool> isDelegated)
    {
        string? parent = Parent(root);
        if (parent is null || !isDelegated(parent))
        {
            return null;
        }

        // Given to us is not yet given on: the groups below have only the controllers that are named here.
        _ = RawFile.TryWrite(parent + "/cgroup.subtree_control", "+memory"u8);
        _ = RawFile.TryWrite(parent + "/cgroup.subtree_control", "+cpu"u8);
        var group = new ControlGroup(parent + "/holdfast-" + name);
        _ = Libc.Mkdir(
            group._folder,
            0x1ED /* 0755 */
        );
        return group;
    }

    /// <summary>False where the memory controller was not given to us.</summary>
    public bool TryLimitMemory(long bytesMax)
    {
        if (!TryWrite("memory.max", bytesMax.ToString(CultureInfo.InvariantCulture)) || !TryWrite("memory.oom.group", "1"))
        {
            return false;
        }

        _ = TryWrite("memory.swap.max", "0"); // Absent where the system has no swap accounting; then the limit is on memory alone.
        return true;
    }

    /// <summary>False where the cpu controller was not given to us.</summary>
    /// <param name="millisMax">Thousandths of a processor.</param>
    public bool TryLimitCpu(long millisMax)
    {
        const int periodUs = 100_000,
            quotaMinUs = 1000; // The system's own: its default, and its least.
        return TryWrite(
            "cpu.max",
            string.Create(CultureInfo.InvariantCulture, $"{Math.Max(quotaMinUs, millisMax * periodUs / 1000)} {periodUs}")
        );
    }

    /// <summary>True for a folder that systemd marked as delegated.</summary>
    public static bool IsDelegated(string folder)
    {
        byte value = 0;
        return (
                Posix.GetExtendedAttribute(folder, "user.delegate", &value, 1) == 1
                || Posix.GetExtendedAttribute(folder, "trusted.delegate", &value, 1) == 1
            )
            && value == (byte)'1';
    }

    /// <summary>Right after the spawn; what it forks from now on is born into the group.</summary>
    public bool TryAdd(int pid) => TryWrite("cgroup.procs", pid.ToString(CultureInfo.InvariantCulture));

    /// <summary>Only an empty one can be removed; one that is not is left to whoever cleans the unit up.</summary>
    public void Remove() => _ = Posix.RemoveDirectory(_folder);

    private bool TryWrite(string file, string value) => RawFile.TryWrite(_folder + "/" + file, Encoding.ASCII.GetBytes(value));

    private static string? Parent(string root)
    {
        string text = Encoding.UTF8.GetString(RawFile.Read(root + "proc/self/cgroup") ?? []);
        foreach (string line in text.Split('\n'))
        {
            if (line.StartsWith("0::/", StringComparison.Ordinal) && line.LastIndexOf('/') is > 3 and var slash)
            {
                return root + "sys/fs/cgroup" + line[3..slash];
            }
        }

        return null;
    }
}
