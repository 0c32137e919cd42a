using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Store;

/// <summary>
/// The folder of the supervisors' sockets: <c>run/</c> in the data directory, or, when that is too deep for the 108 bytes of a socket
/// address, a folder of ours elsewhere that is named by a hash of the data directory, so that the next server chooses the same.
/// </summary>
public static class SocketDirectory
{
    /// <summary>sun_path is 108 bytes, of which one is the terminating NUL (unix(7)).</summary>
    public const int PathBytesMax = 107;

    /// <summary>Longest short id of a socket: <c>run/&lt;12 characters&gt;.sock</c>.</summary>
    public const int ShortIdLengthMax = 12;

    private const int HashLength = 16;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>
    /// The folder for this data directory. $XDG_RUNTIME_DIR comes before /tmp, as it is private to the user and goes away at log-out of a
    /// host that reaps sessions.
    /// </summary>
    public static string Choose(DataDirectoryPaths paths, Func<string, string?> environment)
    {
        if (Fits(paths.Run))
        {
            return paths.Run;
        }

        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(paths.Root)))[..HashLength];
        if (environment("XDG_RUNTIME_DIR") is { Length: > 0 } runtime && IsOurs(runtime) && Fits(Path.Combine(runtime, $"holdfast-{hash}")))
        {
            return Path.Combine(runtime, $"holdfast-{hash}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"/tmp/holdfast-{Libc.GetUid()}-{hash}");
    }

    /// <summary>
    /// Creates the folder, or makes sure that the one there is a directory of ours that nobody else can enter: /tmp is everybody's.
    /// </summary>
    public static void Prepare(string directory)
    {
        _ = Directory.CreateDirectory(directory, OwnerOnly);
        FileOwner? owner = FileOwner.Of(directory);
        if (owner is not { IsDirectory: true } || owner.Value.UserId != Libc.GetUid())
        {
            throw new DataDirectoryException(
                ErrorCodes.DataDirectoryNotWritable,
                $"The folder for sockets {directory} is not a directory of this user: it belongs to {owner?.Description ?? "nobody known"}. Remove it, or give a data directory with a shorter path."
            );
        }

        if (owner.Value.Mode != OwnerOnly)
        {
            File.SetUnixFileMode(directory, OwnerOnly);
        }
    }

    private static bool Fits(string directory) =>
        Encoding.UTF8.GetByteCount(directory) + "/".Length + ShortIdLengthMax + ".sock".Length <= PathBytesMax;

    private static bool IsOurs(string directory) => FileOwner.Of(directory) is { IsDirectory: true } owner && owner.UserId == Libc.GetUid();
}
