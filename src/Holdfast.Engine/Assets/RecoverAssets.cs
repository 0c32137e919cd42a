using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Assets;

/// <summary>
/// The start-up's part: drafts that the last server's end cut off go, as nobody was told of them, and the keeper of assets goes on, also
/// with what was marked before. Files whose deletion was cut off after its commit have no row, and are the sweep for orphans' to find.
/// </summary>
internal sealed class RecoverAssets(AssetFolder folder, StateStore store, Action startKeeper)
{
    public Task<Recovery.PhaseResult> RunAsync()
    {
        int found = store.Read(AssetsTable.Marked).Count;
        foreach (string draft in Directory.EnumerateFiles(folder.Root, "*.tmp"))
        {
            if (
                Ulid.IsWellFormed(Path.GetFileNameWithoutExtension(draft))
                && FileOwner.Of(draft) is { IsFile: true } owner
                && owner.UserId == Libc.GetUid()
                && !folder.IsBeingWritten(draft)
            )
            {
                File.Delete(draft);
                found++;
            }
        }

        startKeeper();
        return Task.FromResult(new Recovery.PhaseResult(found));
    }
}
