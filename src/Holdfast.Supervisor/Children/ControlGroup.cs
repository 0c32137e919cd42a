using System.Globalization;
using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// A control group (v2) of an attempt's own, in which the system itself holds a limit on memory and ends the whole group at once when it is passed. There is one only
/// where the folder beside our own group was given to us: systemd's <c>Delegate=</c> marks it so, and its <c>DelegateSubgroup=</c> keeps it free of processes.
/// </summary>
internal sealed unsafe class MemoryGroup
{
    private readonly string _folder;

    private MemoryGroup(string folder) => _folder = folder;

    /// <summary>Where the system counts its kills.</summary>
    public string EventsFile => _folder + "/memory.events";

    /// <summary>Makes the group, with nobody in it; null where that is not ours to do.</summary>
    /// <param name="root">"/", or what a test puts in its place.</param>
    /// <param name="isDelegated">Whether a folder was given to us; the mark is an attribute that not every file system of a test can have.</param>
    public static MemoryGroup? TryMake(string root, string name, long bytesMax, Func<string, bool> isDelegated)
    {
        string? parent = Parent(root);
        if (parent is null || !isDelegated(parent))
        {
            return null;
        }

        var group = new MemoryGroup(parent + "/holdfast-" + name);
        _ = Libc.Mkdir(group._folder, 0x1ED /* 0755 */);
        byte[] limit = Encoding.ASCII.GetBytes(bytesMax.ToString(CultureInfo.InvariantCulture));
        if (!RawFile.TryWrite(group._folder + "/memory.max", limit) || !RawFile.TryWrite(group._folder + "/memory.oom.group", "1"u8))
        {
            group.Remove();
            return null;
        }

        _ = RawFile.TryWrite(group._folder + "/memory.swap.max", "0"u8); // Absent where the system has no swap accounting; then the limit is on memory alone.
        return group;
    }

    /// <summary>True for a folder that systemd marked as delegated.</summary>
    public static bool IsDelegated(string folder)
    {
        byte value = 0;
        return (Posix.GetExtendedAttribute(folder, "user.delegate", &value, 1) == 1 || Posix.GetExtendedAttribute(folder, "trusted.delegate", &value, 1) == 1) && value == (byte)'1';
    }

    /// <summary>Right after the spawn; what it forks from now on is born into the group.</summary>
    public bool TryAdd(int pid) => RawFile.TryWrite(_folder + "/cgroup.procs", Encoding.ASCII.GetBytes(pid.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Only an empty one can be removed; one that is not is left to whoever cleans the unit up.</summary>
    public void Remove() => _ = Posix.RemoveDirectory(_folder);

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
