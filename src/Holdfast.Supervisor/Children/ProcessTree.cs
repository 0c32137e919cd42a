using System.Globalization;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Children;

/// <summary>A process found below us, named so that its number cannot come to mean another.</summary>
internal sealed class Descendant(int pid, long startTicks, int groupId)
{
    public int Pid { get; } = pid;

    public long StartTicks { get; } = startTicks;

    public int GroupId { get; } = groupId;

    /// <summary>Signals this very process or nobody: 0, or the errno.</summary>
    public int Signal(int signal)
    {
        // The descriptor first, then the identity: what the descriptor was opened on cannot change any more.
        int pidfd = Libc.PidfdOpen(Pid);
        if (pidfd < 0)
        {
            return Libc.Errno;
        }

        int errno = Posix.Esrch;
        if (ProcessStat.Of(Pid) is { } stat && stat.StartTicks == StartTicks)
        {
            errno = Posix.PidfdSendSignal(pidfd, signal) == 0 ? 0 : Libc.Errno;
        }

        _ = Libc.Close(pidfd);
        return errno;
    }
}

/// <summary>
/// Everything that descends from this process. As subreaper it inherits every orphan below it, so a process can leave its group and its
/// session, but not this tree.
/// </summary>
internal static unsafe class ProcessTree
{
    private const int EntryNameAt = 19;
    private const int EntryLengthAt = 16;

    /// <summary>All live descendants at this moment; parents before their children. Others may be born meanwhile: look again.</summary>
    public static List<Descendant> Find()
    {
        var found = new List<Descendant>();
        AddChildrenOf(Environment.ProcessId, found);
        for (int i = 0; i < found.Count; i++)
        {
            AddChildrenOf(found[i].Pid, found);
        }

        return found;
    }

    private static void AddChildrenOf(int parent, List<Descendant> found)
    {
        // Children belong to the thread that made them.
        string tasks = string.Create(CultureInfo.InvariantCulture, $"/proc/{parent}/task");
        int fd = Libc.Open(tasks, Libc.OpenReadOnly | Libc.OpenDirectory | Libc.OpenCloseOnExec, 0);
        if (fd < 0)
        {
            return;
        }

        byte* buffer = stackalloc byte[4096];
        int length;
        while ((length = Posix.GetDirectoryEntries(fd, buffer, 4096)) > 0)
        {
            for (int at = 0; at < length; at += *(ushort*)(buffer + at + EntryLengthAt))
            {
                int task = Number(buffer + at + EntryNameAt);
                if (task > 0)
                {
                    AddFrom(string.Create(CultureInfo.InvariantCulture, $"{tasks}/{task}/children"), found);
                }
            }
        }

        _ = Libc.Close(fd);
    }

    private static void AddFrom(string childrenFile, List<Descendant> found)
    {
        byte[]? content = RawFile.Read(childrenFile);
        int pid = 0;
        for (int i = 0; content is not null && i < content.Length; i++)
        {
            if (content[i] is >= (byte)'0' and <= (byte)'9')
            {
                pid = (pid * 10) + content[i] - '0';
                if (i + 1 < content.Length)
                {
                    continue;
                }
            }

            if (pid > 0 && ProcessStat.Of(pid) is { State: not ('Z' or 'X') } stat)
            {
                found.Add(new Descendant(pid, stat.StartTicks, Posix.GetPgid(pid)));
            }

            pid = 0;
        }
    }

    private static int Number(byte* text)
    {
        int number = 0;
        for (; *text is >= (byte)'0' and <= (byte)'9'; text++)
        {
            number = (number * 10) + *text - '0';
        }

        return number;
    }
}
