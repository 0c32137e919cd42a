using System.Security.Cryptography;
using System.Text;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Recovery.Orphans;
using Holdfast.Engine.Store;
using Holdfast.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Assets;

/// <summary>
/// Assets on a real store and real files, under a clock that is turned by hand; closed and opened again as after a crash.
/// </summary>
internal sealed class AssetHouse : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hf-assets-");
    private AssetFolder _files = null!;

    public AssetHouse(AssetOptions? options = null)
    {
        Options = options ?? new AssetOptions();
        Clock.Turn(TimeProvider.System.GetUtcNow() - Clock.GetUtcNow() + TimeSpan.FromHours(1)); // Whatever this test makes is an hour old.
        Directory.CreateDirectory(Paths.Assets);
        Open();
    }

    public FakeClock Clock { get; } = new();
    public AssetOptions Options { get; }
    public DataDirectoryPaths Paths => new(Path.Combine(_folder.FullName, "data"));
    public StateStore Store { get; private set; } = null!;
    public StoreAsset Keep { get; private set; } = null!;
    public ReadAsset Reader { get; private set; } = null!;
    public RenewLease Renew { get; private set; } = null!;
    public PinAsset Pin { get; private set; } = null!;
    public UnpinAsset Unpin { get; private set; } = null!;
    public NotebookAssets Notebooks { get; private set; } = null!;
    public CollectAssets Collect { get; private set; } = null!;
    public PruneAssets Prune { get; private set; } = null!;
    public AssetOrphans Orphans { get; private set; } = null!;
    public TrashFolder Trash { get; private set; } = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static AssetHash HashOf(string text) => new(Convert.ToHexStringLower(SHA256.HashData(Bytes(text))));

    public string FileOf(string text) => Paths.Asset(HashOf(text).Value);

    public string NotebookPath(string name) => Path.Combine(_folder.FullName, name);

    public Task<StoredAsset> StoreAsync(string text, TimeSpan? lease = null, params AssetReference[] references) =>
        Keep.RunAsync(Bytes(text), new AssetToStore("text/plain") { Lease = lease, References = references }, Cancel);

    public Asset? Find(string text) => Store.Read(reader => AssetsTable.Find(reader, HashOf(text)));

    public async Task<string> ReadAsync(string text)
    {
        using OpenedAsset opened = await Reader.OpenAsync(HashOf(text), Cancel);
        using var reader = new StreamReader(opened.Stream);
        return await reader.ReadToEndAsync(Cancel);
    }

    /// <summary>Both steps of a collection.</summary>
    public async Task<int> CollectAsync()
    {
        int first = await Collect.RunAsync(Cancel);
        Clock.Turn(Options.Grace);
        return first + await Collect.RunAsync(Cancel);
    }

    /// <summary>What the sweep for orphans does about assets, with all that it would find old enough.</summary>
    public async Task<List<Orphan>> SweepAsync()
    {
        List<Orphan> found = await Orphans.FindAsync(static _ => true, Cancel);
        foreach (Orphan orphan in found)
        {
            if (orphan.Action == OrphanAction.SetAside)
            {
                await Orphans.SetAsideAsync(orphan.Subject, TimeSpan.Zero, Cancel);
            }
            else if (orphan.Action == OrphanAction.Delete)
            {
                TrashFolder.Delete(orphan.Subject);
            }
        }

        Trash.Due().ForEach(TrashFolder.Delete);
        return found;
    }

    public string[] Files() =>
        [
            .. Directory
                .EnumerateFiles(Paths.Assets, "*", SearchOption.AllDirectories)
                .Concat(Directory.Exists(Paths.Trash) ? Directory.EnumerateFileSystemEntries(Paths.Trash) : []),
        ];

    /// <summary>Ends without a word, and starts again.</summary>
    public async Task RestartAsync()
    {
        await CloseAsync();
        Open();
        await new RecoverAssets(_files, Store, static () => { }).RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _folder.Delete(recursive: true);
    }

    private void Open()
    {
        Store = StateStore.Open(new StoreOptions { Directory = Paths.Root }, Clock);
        var feed = new FeedLog(Store, Clock);
        Trash = new TrashFolder(Paths.Trash, TimeSpan.FromDays(1), Clock);
        _files = new AssetFolder(Paths, Trash, Clock);
        Keep = new StoreAsset(Store, feed, _files, new AssetQuota(Store, Options), Options, "here", Clock);
        Reader = new ReadAsset(Store, _files, Options, Clock);
        Renew = new RenewLease(Store, Options, Clock);
        Pin = new PinAsset(Store, Clock);
        Unpin = new UnpinAsset(Store);
        Notebooks = new NotebookAssets(Store, Options, Clock);
        Collect = new CollectAssets(Store, feed, _files, Notebooks, Options, Clock, NullLogger.Instance);
        Prune = new PruneAssets(Store, Collect, Notebooks, Clock);
        Orphans = new AssetOrphans(Store, _files);
    }

    private async Task CloseAsync()
    {
        Collect.Dispose();
        await Store.DisposeAsync();
        _files.Dispose();
    }
}
