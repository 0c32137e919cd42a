using System.Globalization;
using Holdfast.Engine.Retention;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;

namespace Holdfast.Server.Cli.Doctor;

/// <summary>Whether the data directory can be written, is private, and has room.</summary>
internal static class DataDirectoryChecks
{
    /// <summary>Of a token that somebody has put there by hand.</summary>
    private const int TokenLengthMin = 16;

    private const UnixFileMode Others =
        UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite
        | UnixFileMode.OtherExecute;

    public static IEnumerable<Finding> All(DataDirectoryPaths paths)
    {
        string existing = paths.Root;
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
        {
            existing = parent;
        }

        yield return Writable(paths.Root, existing);
        if (existing == paths.Root)
        {
            yield return (File.GetUnixFileMode(paths.Root) & Others) != 0
                ? Finding.Warning("data", $"{paths.Root} is open to other users", $"chmod 700 {paths.Root}")
                : Finding.Ok("data", "private to its owner");
            foreach (
                string path in ((string[])[paths.Root, paths.Database, paths.Token, paths.Attempts, paths.Run]).Where(p =>
                    FileStatus.Of(p) is { } status && status.UserId != Libc.GetUid()
                )
            )
            {
                yield return Finding.Problem("data", $"{path} belongs to another user", $"chown -R {Environment.UserName} {paths.Root}");
            }

            foreach (
                string path in ((string[])[paths.Database, paths.Attempts, paths.Run]).Where(p =>
                    FileStatus.Of(p) is { } status && (status.Mode & Others) != 0
                )
            )
            {
                yield return Finding.Warning("data", $"{path} is open to other users", $"chmod go= {path}");
            }
        }

        if (File.Exists(paths.Token) && (File.GetUnixFileMode(paths.Token) & Others) != 0)
        {
            yield return Finding.Problem(
                "token",
                $"{paths.Token} can be read by other users, who can then run commands as you",
                $"chmod 600 {paths.Token}"
            );
        }

        if (File.Exists(paths.Token) && new FileInfo(paths.Token).Length is > 0 and < TokenLengthMin)
        {
            yield return Finding.Warning(
                "token",
                $"the token in {paths.Token} is so short that it can be guessed",
                "delete the file and start the server again, which makes a good one"
            );
        }

        var drive = new DriveInfo(existing);
        yield return Space(drive.AvailableFreeSpace, drive.TotalSize);
        yield return DiskKind.Check(existing, File.ReadAllText("/proc/mounts"));
    }

    private static Finding Writable(string root, string existing)
    {
        string probe = Path.Combine(existing, string.Create(CultureInfo.InvariantCulture, $".holdfast-doctor-{Environment.ProcessId}"));
        int fd = Libc.Open(probe, Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenCloseOnExec, Libc.OwnerReadWrite);
        if (fd < 0)
        {
            string failure = Libc.Failure("open", probe).Message;
            return Finding.Problem(
                "data",
                $"{existing} cannot be written: {failure}",
                "give another directory with --data or HOLDFAST_DATA, or change its owner"
            );
        }

        _ = Libc.Close(fd);
        File.Delete(probe);
        return Finding.Ok("data", existing == root ? $"{root} can be written" : $"{root} is not there yet and can be made");
    }

    /// <summary>By the marks that the server goes by.</summary>
    internal static Finding Space(long free, long total)
    {
        string left = $"{SpaceMarks.Text(free)} free";
        const string Remedy =
            "free some space, keep less (holdfast serve --keep-output 30d), or give a directory on another disk with --data";
        return SpaceMarks.Judge(free, total) switch
        {
            SpaceState.Last => Finding.Problem(
                "disk",
                $"{left}, and no new work is taken below {SpaceMarks.Text(SpaceMarks.Last(total))}",
                Remedy
            ),
            SpaceState.Low => Finding.Warning(
                "disk",
                $"{left}; below {SpaceMarks.Text(SpaceMarks.Last(total))} no new work is taken",
                Remedy
            ),
            _ => Finding.Ok("disk", left),
        };
    }
}
