namespace Holdfast.Server.Cli.Doctor;

/// <summary>
/// What kind of file system the data directory lies on: it must keep what is synced, and its locks must be of this machine.
/// </summary>
internal static class DiskKind
{
    private static readonly string[] Fleeting = ["tmpfs", "ramfs", "devtmpfs"];
    private static readonly string[] Network =
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "ceph",
        "glusterfs",
        "lustre",
        "afs",
        "fuse.sshfs",
    ];

    /// <param name="mounts">/proc/mounts.</param>
    public static Finding Check(string path, string mounts) =>
        Of(path, mounts) switch
        {
            { } kind when Fleeting.Contains(kind) => Finding.Warning(
                "disk",
                $"{path} lies on {kind}, which a reboot empties",
                "give a directory on a disk with --data or HOLDFAST_DATA"
            ),
            { } kind when Network.Contains(kind) => Finding.Problem(
                "disk",
                $"{path} lies on {kind}: SQLite's write-ahead log and our locks need a disk of this machine",
                "give a directory on a local disk with --data or HOLDFAST_DATA"
            ),
            { } kind => Finding.Ok("disk", $"on {kind}"),
            null => Finding.Ok("disk", "of a kind that is not known"),
        };

    /// <summary>The kind of the mount with the longest name that leads to the path; the last of several on one place.</summary>
    internal static string? Of(string path, string mounts)
    {
        (string Place, string? Kind) best = ("", null);
        foreach (string line in mounts.Split('\n'))
        {
            if (line.Split(' ') is [_, var escaped, var kind, ..])
            {
                string place = escaped.Replace("\\040", " ", StringComparison.Ordinal).TrimEnd('/');
                if ((path == place || path.StartsWith(place + "/", StringComparison.Ordinal)) && place.Length >= best.Place.Length)
                {
                    best = (place, kind);
                }
            }
        }

        return best.Kind;
    }
}
