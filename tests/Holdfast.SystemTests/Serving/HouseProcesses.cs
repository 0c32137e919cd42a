using System.Globalization;
using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.SystemTests.Serving;

/// <summary>A process that belongs to one data directory, and what it is called.</summary>
internal sealed record HouseProcess(ProcessIdentity Identity, string CommandLine, string? Attempt)
{
    public int Pid => Identity.Pid;

    /// <summary>Kills it, unless its pid is another's by now.</summary>
    public void Kill()
    {
        if (Identity.IsAlive())
        {
            _ = Libc.Kill(Pid, Libc.SigKill);
        }
    }

    public override string ToString() => $"{Pid.ToString(CultureInfo.InvariantCulture)} {CommandLine}";
}

/// <summary>
/// Finds, in /proc, the supervisors of a data directory and what runs under the mark of one of its attempts. It remembers nothing.
/// </summary>
internal static class HouseProcesses
{
    private const string Mark = "HOLDFAST_ATTEMPT=";

    public static List<HouseProcess> Supervisors(string data) =>
        Find(
            (pid, commandLine) =>
                commandLine.Contains("holdfast-supervisor run " + data + "/", StringComparison.Ordinal) ? new Found(null) : null
        );

    /// <summary>Whatever was started for an attempt of this data directory, or by what was.</summary>
    public static List<HouseProcess> Work(string data) =>
        Find((pid, _) => AttemptOf(pid) is { } attempt && Directory.Exists($"{data}/attempts/{attempt}") ? new Found(attempt) : null);

    /// <summary>Kills it all, until nothing is found. The server must be dead, or it starts more.</summary>
    public static void KillAll(string data, string? mountNamespace)
    {
        while (true)
        {
            List<HouseProcess> found =
            [
                .. Supervisors(data),
                .. Work(data),
                .. mountNamespace is null ? [] : Find((pid, _) => MountNamespaceOf(pid) == mountNamespace ? new Found(null) : null),
            ];
            if (found.Count == 0)
            {
                return;
            }

            found.ForEach(static p => p.Kill());
        }
    }

    public static string? MountNamespaceOf(int pid)
    {
        try
        {
            return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/mnt")).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>'R', 'S', 'T' for stopped and so on; null when there is no such process.</summary>
    public static char? StateOf(int pid)
    {
        try
        {
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return null;
        }
    }

    private sealed record Found(string? Attempt);

    private static List<HouseProcess> Find(Func<int, string, Found?> select)
    {
        List<HouseProcess> processes = [];
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (
                int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && pid != Environment.ProcessId
                && Read(pid, "cmdline") is { Length: > 0 } commandLine // Zombies and threads of the kernel have none.
                && select(pid, commandLine.Replace('\0', ' ')) is { } found
                && ProcessIdentity.Of(pid) is { } identity
            )
            {
                processes.Add(new HouseProcess(identity, commandLine.Replace('\0', ' '), found.Attempt));
            }
        }

        return processes;
    }

    private static string? AttemptOf(int pid)
    {
        string? environment = Read(pid, "environ");
        int at = environment?.IndexOf(Mark, StringComparison.Ordinal) ?? -1;
        if (at < 0)
        {
            return null;
        }

        at += Mark.Length;
        int end = environment!.IndexOf(':', at);
        return end < 0 ? null : environment[at..end];
    }

    private static string? Read(int pid, string file)
    {
        try
        {
            return Encoding.Latin1.GetString(File.ReadAllBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{file}")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
