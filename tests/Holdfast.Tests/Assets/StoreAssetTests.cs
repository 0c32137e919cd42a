using System.Text;
using Holdfast.Engine;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Recovery.Orphans;

namespace Holdfast.Tests.Assets;

/// <summary>Bytes under their hash: stored, read, refused, and what lies beside them.</summary>
public sealed class StoreAssetTests : IAsyncDisposable
{
    private readonly AssetHouse _house = new(new AssetOptions { QuotaBytes = 100 });

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_stored_lies_under_its_hash_and_nothing_else_is_there()
    {
        StoredAsset stored = await _house.StoreAsync("hello");

        Assert.True(stored.IsNew);
        Assert.Equal("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", stored.Asset.Hash.Value);
        Assert.Equal([_house.FileOf("hello")], _house.Files());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_house.FileOf("hello")));
        Assert.Equal("hello", await _house.ReadAsync("hello"));
    }

    [Fact]
    public async Task The_same_bytes_again_are_the_same_asset_with_a_longer_lease()
    {
        StoredAsset first = await _house.StoreAsync("hello");
        _house.Clock.Turn(TimeSpan.FromHours(1));
        StoredAsset second = await _house.StoreAsync("hello");

        Assert.False(second.IsNew);
        Assert.Equal(TimeSpan.FromHours(1), UnixTime.Span(second.Asset.LeaseUntil - first.Asset.LeaseUntil));
        Assert.Equal(second.Asset.LeaseUntil, (await _house.StoreAsync("hello", TimeSpan.FromSeconds(1))).Asset.LeaseUntil);
        Assert.Single(_house.Files());
    }

    [Fact]
    public async Task Bytes_that_are_not_what_they_should_be_are_refused_and_leave_nothing()
    {
        var refusal = await Assert.ThrowsAsync<RefusedException>(() =>
            _house.Keep.RunAsync(
                new MemoryStream("hellx"u8.ToArray()),
                new AssetToStore("text/plain") { Expected = AssetHouse.HashOf("hello") },
                Cancel
            )
        );

        Assert.Equal(ErrorCodes.AssetHashMismatch, refusal.Code);
        Assert.Empty(_house.Files());
    }

    [Fact]
    public async Task Uploads_beyond_the_quota_are_refused_output_is_kept_and_nothing_is_deleted_for_either()
    {
        await _house.StoreAsync(new string('a', 90), TimeSpan.Zero);
        _house.Clock.Turn(TimeSpan.FromDays(1));

        var refusal = await Assert.ThrowsAsync<RefusedException>(() => _house.StoreAsync(new string('b', 20)));
        var unknownLength = await Assert.ThrowsAsync<RefusedException>(() =>
            _house.Keep.RunAsync(new MemoryStream(Encoding.ASCII.GetBytes(new string('c', 20))), new AssetToStore("text/plain"), Cancel)
        );
        Assert.Equal((ErrorCodes.AssetQuotaExceeded, ErrorCodes.AssetQuotaExceeded), (refusal.Code, unknownLength.Code));
        Assert.Single(_house.Files());

        await _house.Keep.RunAsync(
            Encoding.ASCII.GetBytes(new string('d', 50)),
            new AssetToStore("text/plain") { IsOutput = true },
            Cancel
        );
        Assert.Equal(2, _house.Files().Length);
        Assert.Throws<RefusedException>(() => new AssetQuota(_house.Store, _house.Options).ThrowIfFull());
    }

    [Fact]
    public async Task A_file_that_was_cut_short_is_told_and_mended_by_the_same_bytes()
    {
        await _house.StoreAsync("hello");
        await File.WriteAllTextAsync(_house.FileOf("hello"), "he", Cancel);
        Assert.Equal(ErrorCodes.AssetDamaged, (await Assert.ThrowsAsync<RefusedException>(() => _house.ReadAsync("hello"))).Code);
        File.Delete(_house.FileOf("hello"));
        Assert.Equal(ErrorCodes.AssetDamaged, (await Assert.ThrowsAsync<RefusedException>(() => _house.ReadAsync("hello"))).Code);

        await _house.StoreAsync("hello");

        Assert.Equal("hello", await _house.ReadAsync("hello"));
    }

    [Fact]
    public async Task Links_and_strange_files_are_not_followed_not_read_and_not_deleted()
    {
        string thesis = _house.NotebookPath("thesis");
        await File.WriteAllTextAsync(thesis, "years", Cancel);
        string folder = Path.GetDirectoryName(_house.FileOf("hello"))!;
        Directory.CreateDirectory(folder);
        File.CreateSymbolicLink(_house.FileOf("hello"), thesis);
        Directory.CreateSymbolicLink(Path.Combine(_house.Paths.Assets, "ff"), Path.GetDirectoryName(thesis)!);
        await File.WriteAllTextAsync(Path.Combine(folder, "notes.txt"), "mine", Cancel);
        await File.WriteAllTextAsync(Path.Combine(_house.Paths.Assets, "notes.tmp"), "mine", Cancel);

        List<Orphan> found = await _house.SweepAsync();

        Assert.Equal(4, found.Count);
        Assert.All(found, static o => Assert.Equal((OrphanKind.Foreign, OrphanAction.None), (o.Kind, o.Action)));
        Assert.Equal("years", await File.ReadAllTextAsync(thesis, Cancel));
        Assert.True(File.Exists(Path.Combine(folder, "notes.txt")) && File.Exists(Path.Combine(_house.Paths.Assets, "notes.tmp")));

        await _house.StoreAsync("hello"); // Its place is ours: the link goes, what it led to stays.
        Assert.Null(new FileInfo(_house.FileOf("hello")).LinkTarget);
        Assert.Equal("years", await File.ReadAllTextAsync(thesis, Cancel));
    }

    public ValueTask DisposeAsync() => _house.DisposeAsync();
}
