using System.Globalization;
using Holdfast.Engine.Store;
using Holdfast.Protocol;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Recovery.Orphans;

/// <summary>
/// Deletion in two steps: a rename into the trash, which happens whole or not at all, and when its time has come the deletion. The time is
/// in the name (<c>UNIXSECONDS-NAME</c>), so that a deletion which was interrupted is gone on with by whoever looks next, and nothing else
/// has to be remembered. Links are removed and never followed.
/// </summary>
internal sealed class TrashFolder(string folder, TimeSpan graceMax, TimeProvider time)
{
    /// <summary>No grace that an earlier server may have been started with is taken for a mistake.</summary>
    private static readonly TimeSpan UsualGraceMax = TimeSpan.FromDays(1);

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Sets something aside until the grace is over, and says where. It must lie on the same file system.</summary>
    public string Put(string path, TimeSpan grace)
    {
        Directory.CreateDirectory(folder, OwnerOnly);
        long due = (time.GetUtcNow() + grace).ToUnixTimeSeconds();
        string name = Path.GetFileName(path);
        string target = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{due}-{name}"));
        for (int n = 1; FileOwner.Of(target) is not null; n++)
        {
            target = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{due}-{n}-{name}"));
        }

        if (Libc.Rename(path, target) != 0)
        {
            throw Libc.Failure("rename", path);
        }

        CrashPoints.Reach(CrashPoint.ServerSetAside);
        return target;
    }

    /// <summary>
    /// What is due; a name without a time in it is not ours, and never due. A time far beyond any grace is a clock's that was wrong when it
    /// was written: it counts from now.
    /// </summary>
    public List<string> Due()
    {
        var due = new List<string>();
        if (!Directory.Exists(folder))
        {
            return due;
        }

        long now = time.GetUtcNow().ToUnixTimeSeconds();
        long longest = (long)(graceMax > UsualGraceMax ? graceMax : UsualGraceMax).TotalSeconds;
        long latest = now + (2 * longest) + 1;
        foreach (string path in Directory.EnumerateFileSystemEntries(folder))
        {
            string name = Path.GetFileName(path);
            int dash = name.IndexOf('-', StringComparison.Ordinal);
            if (dash <= 0 || !long.TryParse(name.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out long at))
            {
                continue;
            }

            if (at <= now)
            {
                due.Add(path);
            }
            else if (at > latest)
            {
                _ = Libc.Rename(
                    path,
                    Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{now + longest}-{name[(dash + 1)..]}"))
                );
            }
        }

        return due;
    }

    /// <summary>For good. A link goes as the link that it is; so does every link inside a folder.</summary>
    public static void Delete(string path)
    {
        if (FileOwner.Of(path) is { IsDirectory: true })
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
    }
}
