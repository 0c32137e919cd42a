using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Recovery;

/// <summary>
/// What a server that died while it wrote a small file has left in the data directory: the temporary name, beside the file it was to
/// become, which is whole or absent. Not in attempts' folders, where a supervisor may be writing at this moment.
/// </summary>
internal static class TornFiles
{
    /// <summary>What there is of them. Only plain files of this user's: a link or a folder by such a name is not ours.</summary>
    public static IEnumerable<string> Find(string dataDirectory) =>
        Directory
            .EnumerateFiles(dataDirectory, "*.tmp")
            .Where(static path =>
                new FileInfo(path).LinkTarget is null && FileOwner.Of(path) is { IsDirectory: false } owner && owner.UserId == Libc.GetUid()
            );

    /// <summary>Removes them; how many there were.</summary>
    public static int Remove(string dataDirectory)
    {
        string[] found = [.. Find(dataDirectory)];
        Array.ForEach(found, File.Delete);
        return found.Length;
    }
}
