using System.Globalization;

namespace Holdfast.Server.Cli.Doctor;

/// <summary>
/// Limits that nobody thinks of until a start fails in the night: open files, processes and threads, and watches of files. Those of the
/// server that runs, since it and its supervisors live by them; without one, those that a server started from here would have.
/// </summary>
internal static class LimitChecks
{
    /// <summary>Some three files for each of a few hundred kernels, jobs and clients.</summary>
    private const long FilesMin = 4096;

    /// <summary>A kernel and its supervisor are some twenty threads, a job and its own some eight.</summary>
    private const long ThreadsFreeMin = 500;
    private const long InstancesMin = 128;
    private const long WatchesMin = 8192;

    /// <param name="root">"/", or what a test puts in its place.</param>
    /// <param name="server">The server's process; null: our own.</param>
    public static IEnumerable<Finding> All(string root, int? server)
    {
        string process = server is { } pid ? pid.ToString(CultureInfo.InvariantCulture) : "self";
        string limits = Read(root, $"proc/{process}/limits") ?? "";

        // A server raises the soft limit to the hard one when it starts.
        long? files = Column(limits, "Max open files", server is null ? 1 : 0);
        if (files < FilesMin)
        {
            yield return Finding.Warning(
                "limits",
                Text($"{files} open files: a few hundred kernels, jobs and clients need {FilesMin}"),
                "ulimit -n 65536 before the server is started, or LimitNOFILE=65536 in its unit"
            );
        }

        (long Free, string Where)? least = Threads(root, process, limits)
            .OrderBy(static room => room.Free)
            .Select(static r => ((long, string)?)r)
            .FirstOrDefault();
        if (least is { } room && room.Free < ThreadsFreeMin)
        {
            yield return Finding.Warning(
                "limits",
                Text($"room for {long.Max(room.Free, 0)} more threads ({room.Where}); a kernel takes some twenty"),
                "raise it: TasksMax=infinity in the server's unit, --pids-limit of its container, or kernel.threads-max and kernel.pid_max"
            );
        }

        if (
            Number(root, "proc/sys/fs/inotify/max_user_instances") < InstancesMin
            || Number(root, "proc/sys/fs/inotify/max_user_watches") < WatchesMin
        )
        {
            yield return Finding.Warning(
                "limits",
                "few watches of files: `holdfast notebook watch`, and programs in kernels that follow files, may be refused theirs",
                Text($"sysctl fs.inotify.max_user_instances={InstancesMin * 4} fs.inotify.max_user_watches={WatchesMin * 8}")
            );
        }

        if (files >= FilesMin && (least is null || least.Value.Free >= ThreadsFreeMin))
        {
            string text = Text($"{files} open files");
            yield return Finding.Ok(
                "limits",
                least is { } enough && enough.Free < int.MaxValue ? Text($"{text}, {enough.Free} more threads") : text
            );
        }
    }

    /// <summary>How many more threads each of the bounds lets there be that the system has.</summary>
    private static IEnumerable<(long Free, string Where)> Threads(string root, string process, string limits)
    {
        // "0.21 0.30 0.32 2/318 4711": running and all threads of the machine.
        string? load = Read(root, "proc/loadavg");
        long now =
            load?.Split(' ') is [_, _, _, var counts, ..]
            && counts.Split('/') is [_, var all]
            && long.TryParse(all, CultureInfo.InvariantCulture, out long n)
                ? n
                : 0;
        foreach (string name in (string[])["kernel/threads-max", "kernel/pid_max"])
        {
            if (Number(root, "proc/sys/" + name) is { } most)
            {
                yield return (most - now, name.Replace('/', '.'));
            }
        }

        // RLIMIT_NPROC counts all that this user has; root is not held to it. Others are at most all of the machine's.
        if (Environment.UserName != "root" && Column(limits, "Max processes", 0) is { } own)
        {
            yield return (own - now, "ulimit -u");
        }

        foreach (string group in Groups(Read(root, $"proc/{process}/cgroup") ?? ""))
        {
            for (string path = group; path.Length > 0; path = path[..path.LastIndexOf('/')])
            {
                if (
                    Number(root, $"sys/fs/cgroup{path}/pids.max") is { } most
                    && Number(root, $"sys/fs/cgroup{path}/pids.current") is { } used
                )
                {
                    yield return (most - used, $"pids.max of {path}");
                }
            }
        }
    }

    /// <summary>Where the process's group lies below /sys/fs/cgroup, in version 2 and in version 1.</summary>
    private static IEnumerable<string> Groups(string cgroup)
    {
        foreach (string line in cgroup.Split('\n'))
        {
            if (line.Split(':', 3) is [_, var controllers, var path] && path.Length > 1)
            {
                if (controllers.Length == 0)
                {
                    yield return path;
                }
                else if (controllers.Split(',').Contains("pids"))
                {
                    yield return "/pids" + path;
                }
            }
        }
    }

    /// <summary>A number in a line of /proc/PID/limits, soft (0) or hard (1); one that is unlimited is as good as endless.</summary>
    internal static long? Column(string limits, string name, int column)
    {
        foreach (string line in limits.Split('\n'))
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
            {
                string[] words = line[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                return words.Length <= column ? null
                    : words[column] == "unlimited" ? long.MaxValue / 2
                    : long.TryParse(words[column], CultureInfo.InvariantCulture, out long number) ? number
                    : null;
            }
        }

        return null;
    }

    private static long? Number(string root, string path) =>
        long.TryParse(Read(root, path), CultureInfo.InvariantCulture, out long number) ? number : null; // "max" is no bound.

    private static string? Read(string root, string path)
    {
        try
        {
            return File.ReadAllText(Path.Combine(root, path)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
