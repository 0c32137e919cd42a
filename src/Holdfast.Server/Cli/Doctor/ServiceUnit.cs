using System.Globalization;

namespace Holdfast.Server.Cli.Doctor;

/// <summary>
/// The systemd unit that a server runs in. systemd kills a stopped unit's whole control group unless told otherwise, and with it the
/// supervisors and all their work (systemd.kill(5), KillMode=).
/// </summary>
internal static class ServiceUnit
{
    private const string UsualName = "holdfast.service";

    private static readonly string[] Folders =
    [
        "/usr/lib/systemd",
        "/lib/systemd",
        "/usr/local/lib/systemd",
        "/run/systemd/transient",
        "/run/systemd",
        "/etc/systemd",
    ];

    /// <summary>Null when the process runs in no unit.</summary>
    public static Finding? Check(int pid, Func<string, string?> environment)
    {
        string cgroups;
        try
        {
            cgroups = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cgroup"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        return UnitOf(cgroups) is { } unit ? OfUnit(unit, KillMode(UnitFiles(unit, environment))) : null;
    }

    /// <summary>The unit that a server would be started in; null when none is installed under the usual name.</summary>
    public static Finding? CheckInstalled(Func<string, string?> environment) =>
        UnitFiles(UsualName, environment).ToList() is { Count: > 0 } texts ? OfUnit(UsualName, KillMode(texts)) : null;

    /// <summary>The service named by a /proc/PID/cgroup, if the process is directly in one.</summary>
    internal static string? UnitOf(string cgroups)
    {
        foreach (string line in cgroups.Split('\n'))
        {
            string last = line[(line.LastIndexOf('/') + 1)..];
            if (last.EndsWith(".service", StringComparison.Ordinal))
            {
                return last;
            }
        }

        return null;
    }

    /// <summary>The value that counts among the texts of a unit, later ones over earlier ones; null when none says.</summary>
    internal static string? KillMode(IEnumerable<string> texts)
    {
        string? mode = null;
        foreach (string line in texts.SelectMany(text => text.Split('\n')))
        {
            string trimmed = line.Trim();
            if (
                trimmed.StartsWith("KillMode", StringComparison.Ordinal)
                && trimmed.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals
            )
            {
                mode = trimmed[(equals + 1)..].Trim();
            }
        }

        return mode;
    }

    private static Finding OfUnit(string unit, string? mode) =>
        mode is "process" or "none"
            ? Finding.Ok("systemd", $"{unit} has KillMode={mode}")
            : Finding.Problem(
                "systemd",
                $"{unit} has KillMode={mode ?? "control-group (the default)"}: stopping it kills all jobs and kernels",
                $"put KillMode=process under [Service]: systemctl edit {unit}"
            );

    private static IEnumerable<string> UnitFiles(string unit, Func<string, string?> environment)
    {
        IEnumerable<string> folders = Folders.SelectMany(f => (string[])[Path.Combine(f, "system"), Path.Combine(f, "user"), f]);
        if (environment("HOME") is { Length: > 0 } home)
        {
            folders = folders.Append(Path.Combine(home, ".config", "systemd", "user"));
        }

        string[] known = [.. folders];
        IEnumerable<string> dropIns = known
            .Select(f => Path.Combine(f, unit + ".d"))
            .Where(Directory.Exists)
            .SelectMany(d => Directory.EnumerateFiles(d, "*.conf").Order(StringComparer.Ordinal));
        return known.Select(f => Path.Combine(f, unit)).Where(File.Exists).Concat(dropIns).Select(File.ReadAllText);
    }
}
