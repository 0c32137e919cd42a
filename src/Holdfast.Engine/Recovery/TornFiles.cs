using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Recovery;

/// <summary>
/// What a server that died while it wrote a small file has left in the data directory: the temporary name, beside the file it was to become, which is whole or absent. Not in
/// attempts' folders, where a supervisor may be writing at this moment.
/// </summary>
internal static class TornFiles
{
    /// <summary>Removes them; how many there were. Only plain files of this user's: a link or a folder by such a name is not ours.</summary>
    public static int Remove(string dataDirectory)
    {
        int removed = 0;
        foreach (string path in Directory.EnumerateFiles(dataDirectory, "*.tmp"))
        {
            if (new FileInfo(path).LinkTarget is null && FileOwner.Of(path) is { IsDirectory: false } owner && owner.UserId == Libc.GetUid())
            {
                File.Delete(path);
                removed++;
            }
        }

        return removed;
    }
}
