using Holdfast.Engine.Recovery.Orphans;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Assets;

/// <summary>
/// Files under <c>assets/</c> that no row knows: cut-off drafts, and what a crash left between a file and its row. Ours is a plain file of
/// this user's that is named as an asset in the folder of its first two digits; all else, links among it, is foreign, told of and never
/// touched.
/// </summary>
internal sealed class AssetOrphans(StateStore store, AssetFolder folder)
{
    private const int BatchMax = 500;

    public async Task<List<Orphan>> FindAsync(Func<string, bool> isOldEnough, CancellationToken cancellationToken)
    {
        var found = new List<Orphan>();
        foreach (string path in Directory.EnumerateFileSystemEntries(folder.Root))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield(); // Nobody waits for a sweep; whoever waits for a thread goes first.
            string name = Path.GetFileName(path);
            if (IsFolderName(name) && FileOwner.Of(path) is { IsDirectory: true } owner && owner.UserId == Libc.GetUid())
            {
                foreach (string[] batch in Directory.EnumerateFileSystemEntries(path).Chunk(BatchMax))
                {
                    HashSet<string> known = store.Read(reader =>
                        AssetsTable.KnownAmong(reader, batch.Select(static entry => Path.GetFileName(entry)!))
                    );
                    found.AddRange(
                        batch
                            .Where(entry => !known.Contains(Path.GetFileName(entry)))
                            .Select(entry => Judge(entry, name, isOldEnough))
                            .OfType<Orphan>()
                    );
                }
            }
            else if (name.EndsWith(".tmp", StringComparison.Ordinal) && Ulid.IsWellFormed(name[..^4]) && IsOurs(path))
            {
                if (isOldEnough(path) && !folder.IsBeingWritten(path))
                {
                    found.Add(new Orphan(OrphanKind.TemporaryFile, path, OrphanAction.Delete, "The writing of an asset was cut short."));
                }
            }
            else
            {
                found.Add(Foreign(path));
            }
        }

        return found;
    }

    /// <summary>The first of two steps, unless the asset has come back meanwhile.</summary>
    public async Task SetAsideAsync(string path, TimeSpan grace, CancellationToken cancellationToken)
    {
        using IDisposable turn = await folder.TakeTurnAsync(cancellationToken);
        if (store.Read(reader => AssetsTable.KnownAmong(reader, [Path.GetFileName(path)])).Count == 0)
        {
            _ = folder.SetAside(path, grace);
        }
    }

    private static Orphan? Judge(string path, string folderName, Func<string, bool> isOldEnough) =>
        !AssetHash.IsWellFormed(Path.GetFileName(path))
        || !Path.GetFileName(path).StartsWith(folderName, StringComparison.Ordinal)
        || !IsOurs(path)
            ? Foreign(path)
        : isOldEnough(path) ? new Orphan(OrphanKind.AssetFile, path, OrphanAction.SetAside, "The store does not know this asset.")
        : null;

    private static Orphan Foreign(string path) =>
        new(OrphanKind.Foreign, path, OrphanAction.None, "It is not an asset that this server keeps.");

    private static bool IsOurs(string path) => FileOwner.Of(path) is { IsFile: true } owner && owner.UserId == Libc.GetUid();

    private static bool IsFolderName(string name) => name is [var a, var b] && char.IsAsciiHexDigitLower(a) && char.IsAsciiHexDigitLower(b);
}
