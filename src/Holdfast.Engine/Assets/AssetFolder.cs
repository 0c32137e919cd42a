using System.Collections.Concurrent;
using Holdfast.Engine.Contents;
using Holdfast.Engine.Recovery.Orphans;
using Holdfast.Engine.Store;
using Holdfast.Protocol;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Assets;

/// <summary>
/// The files of assets: <c>assets/ab/SHA256</c>. 1. a draft is written as <c>assets/ULID.tmp</c> and synced; 2. renamed to its hash, both
/// folders synced; 3. its row is committed. A crash before 3 leaves a file without a row, which the sweep for orphans finds; a deletion
/// goes the other way round, and leaves the same. Links are never followed, and what is not named and made as here is not ours.
/// </summary>
internal sealed class AssetFolder(DataDirectoryPaths paths, TrashFolder trash, TimeProvider time) : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly ConcurrentDictionary<string, bool> _drafts = new();
    private readonly SemaphoreSlim _turn = new(1, 1);

    public string Root => paths.Assets;

    /// <summary>
    /// Held over the placing of a file and the commit of its row, and over the deletion of a row and the removal of its file: so that a row
    /// always has its file.
    /// </summary>
    public async Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        return new Turn(_turn);
    }

    public AssetDraft Begin()
    {
        string path = Path.Combine(paths.Assets, Ulid.New(time) + ".tmp");
        _drafts[path] = true;
        return new AssetDraft(path, () => _drafts.TryRemove(path, out _));
    }

    /// <summary>True for a draft that this server is writing at this moment, however long that takes.</summary>
    public bool IsBeingWritten(string path) => _drafts.ContainsKey(path);

    /// <summary>Gives the draft its name. To be called in turn, and followed by the commit of its row.</summary>
    public void Place(AssetDraft draft, AssetHash hash)
    {
        string path = paths.Asset(hash.Value);
        string folder = Path.GetDirectoryName(path)!;
        if (FileOwner.Of(folder) is null)
        {
            Directory.CreateDirectory(folder, OwnerOnly);
            DurableFile.SyncDirectory(paths.Assets);
        }

        ThrowIfStrange(folder);
        CrashPoints.Reach(CrashPoint.ServerAssetWritten);
        if (Libc.Rename(draft.Path, path) != 0)
        {
            throw Libc.Failure("rename", path);
        }

        DurableFile.SyncDirectory(folder);
        CrashPoints.Reach(CrashPoint.ServerAssetPlaced);
    }

    /// <summary>Null when it is not there, or is something else than a plain file.</summary>
    public FileStream? Open(AssetHash hash)
    {
        string path = paths.Asset(hash.Value);
        return
            FileOwner.Of(Path.GetDirectoryName(path)!) is { IsDirectory: true }
            && FileOwner.Of(path) is { IsFile: true }
            && PosixFiles.OpenFile(path) is { } handle
            ? new FileStream(handle, FileAccess.Read, bufferSize: 0)
            : null;
    }

    public long? SizeOf(AssetHash hash)
    {
        using FileStream? file = Open(hash);
        return file?.Length;
    }

    /// <summary>Sets the file of an asset that has no row aside, and says where; null when there is none. To be called in turn.</summary>
    public string? SetAside(string path, TimeSpan grace)
    {
        ThrowIfStrange(Path.GetDirectoryName(path)!);
        return FileOwner.Of(path) is { IsFile: true } ? trash.Put(path, grace) : null;
    }

    /// <summary>The same, for good: its time was set by a lease.</summary>
    public void Remove(AssetHash hash)
    {
        if (SetAside(paths.Asset(hash.Value), TimeSpan.Zero) is { } aside)
        {
            TrashFolder.Delete(aside);
        }
    }

    public void Dispose() => _turn.Dispose();

    private static void ThrowIfStrange(string folder)
    {
        if (FileOwner.Of(folder) is not { IsDirectory: true })
        {
            throw new IOException($"{folder} is not a folder that this server makes; nothing in it is touched.");
        }
    }

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
