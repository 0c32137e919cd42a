using Holdfast.Engine;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Store;

namespace Holdfast.Tests.Assets;

/// <summary>What goes and what stays, and what rescues in between.</summary>
public sealed class CollectAssetsTests : IAsyncDisposable
{
    private readonly AssetHouse _house = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_asset_is_deleted_unless_its_lease_has_expired_and_nothing_references_it()
    {
        await _house.StoreAsync("leased", TimeSpan.FromDays(30));
        await _house.StoreAsync("pinned", TimeSpan.Zero, new AssetReference(AssetReferenceKind.Pin, "me"));
        await _house.StoreAsync("output", TimeSpan.Zero, new AssetReference(AssetReferenceKind.Execution, "x"));
        await _house.StoreAsync("over", TimeSpan.Zero);
        _house.Clock.Turn(TimeSpan.FromDays(1));

        Assert.Equal(1, await _house.CollectAsync());

        Assert.Null(_house.Find("over"));
        Assert.False(File.Exists(_house.FileOf("over")));
        Assert.All(
            (string[])["leased", "pinned", "output"],
            text => Assert.True(_house.Find(text) is not null && File.Exists(_house.FileOf(text)))
        );
    }

    [Fact]
    public async Task A_deletion_takes_two_steps_and_a_restart_begins_the_grace_anew()
    {
        await _house.StoreAsync("over", TimeSpan.Zero);
        _house.Clock.Turn(TimeSpan.FromDays(1));
        await _house.Collect.RunAsync(Cancel);
        Assert.NotNull(_house.Find("over")!.DeletingAt);
        _house.Clock.Turn(_house.Options.Grace - TimeSpan.FromSeconds(1));
        Assert.Equal(0, await _house.Collect.RunAsync(Cancel));

        await _house.RestartAsync();
        Assert.Equal(0, await _house.Collect.RunAsync(Cancel));
        _house.Clock.Turn(_house.Options.Grace);
        Assert.Equal(1, await _house.Collect.RunAsync(Cancel));
        Assert.Empty(_house.Files());
    }

    [Theory]
    [InlineData("renewed")]
    [InlineData("pinned")]
    [InlineData("read")]
    [InlineData("stored again")]
    public async Task Whoever_needs_it_between_the_steps_has_rescued_it(string how)
    {
        await _house.StoreAsync("x", TimeSpan.Zero);
        _house.Clock.Turn(TimeSpan.FromDays(1));
        await _house.Collect.RunAsync(Cancel);

        await (
            how switch
            {
                "renewed" => _house.Renew.RunAsync(AssetHouse.HashOf("x"), null, Cancel),
                "pinned" => _house.Pin.RunAsync(AssetHouse.HashOf("x"), "me", Cancel),
                "read" => _house.ReadAsync("x"),
                _ => (Task)_house.StoreAsync("x"),
            }
        );
        _house.Clock.Turn(_house.Options.Grace);

        Assert.Equal(0, await _house.Collect.RunAsync(Cancel));
        Assert.Null(_house.Find("x")!.DeletingAt);
        Assert.Equal("x", await _house.ReadAsync("x"));
    }

    [Fact]
    public async Task The_schema_itself_keeps_what_is_referred_to()
    {
        await _house.StoreAsync("x", TimeSpan.Zero, new AssetReference(AssetReferenceKind.Pin, "me"));

        var failure = await Assert.ThrowsAsync<StoreException>(() =>
            _house.Store.WriteAsync(
                static transaction =>
                {
                    using Statement delete = transaction.Prepare("DELETE FROM assets");
                    delete.Execute();
                },
                Cancel
            )
        );

        Assert.Equal(ErrorCodes.StoreConstraint, failure.Code);
    }

    [Fact]
    public async Task A_notebook_that_was_edited_by_other_means_is_asked_before_anything_goes()
    {
        string path = _house.NotebookPath("n.ipynb");
        byte[] json = Mentioning("x", "y");
        await _house.StoreAsync("x", TimeSpan.Zero);
        await _house.StoreAsync("y", TimeSpan.Zero);
        await File.WriteAllBytesAsync(path, json, Cancel);
        await _house.Notebooks.SeenAsync(path, json);
        await File.WriteAllBytesAsync(path, Mentioning("y"), Cancel);
        _house.Clock.Turn(TimeSpan.FromDays(2));

        Assert.Equal(1, await _house.CollectAsync());

        Assert.Null(_house.Find("x"));
        Assert.True(_house.Find("y")!.LeaseUntil > UnixTime.NowMicroseconds(_house.Clock)); // It was seen to be needed.
    }

    [Fact]
    public async Task A_notebook_that_is_gone_counts_for_a_month_and_a_renamed_one_for_ever()
    {
        string path = _house.NotebookPath("n.ipynb"),
            moved = _house.NotebookPath("folder/n.ipynb");
        await _house.StoreAsync("x", TimeSpan.Zero);
        await _house.Notebooks.SeenAsync(path, Mentioning("x"));
        _house.Clock.Turn(TimeSpan.FromDays(2));
        Assert.Equal(0, await _house.CollectAsync());
        _house.Clock.Turn(TimeSpan.FromDays(29));
        Assert.Equal(0, await _house.CollectAsync());

        await _house.Notebooks.MovedAsync(path, moved);
        Directory.CreateDirectory(Path.GetDirectoryName(moved)!);
        await File.WriteAllBytesAsync(moved, Mentioning("x"), Cancel);
        _house.Clock.Turn(TimeSpan.FromDays(100));
        Assert.Equal(0, await _house.CollectAsync());

        File.Delete(moved);
        _house.Clock.Turn(TimeSpan.FromDays(100));
        Assert.Equal(0, await _house.CollectAsync()); // Noticed now.
        _house.Clock.Turn(TimeSpan.FromDays(31));
        await _house.CollectAsync();
        await _house.CollectAsync();
        Assert.Null(_house.Find("x"));
    }

    [Fact]
    public async Task Pruning_says_why_and_makes_a_clients_pins_what_it_says()
    {
        await _house.StoreAsync("mine", TimeSpan.Zero, PinAsset.Pin("me"));
        await _house.StoreAsync("no more", TimeSpan.Zero, PinAsset.Pin("me"));
        await _house.StoreAsync("theirs", TimeSpan.Zero, PinAsset.Pin("they"));
        await _house.StoreAsync("leased");
        _house.Clock.Turn(TimeSpan.FromMinutes(1));
        AssetHash[] references = [AssetHouse.HashOf("mine"), AssetHouse.HashOf("never here")];

        PruneResult dry = await _house.Prune.RunAsync(new PruneRequest("me", references, IsDryRun: true), Cancel);
        Assert.Equal(4, _house.Files().Length);
        PruneResult done = await _house.Prune.RunAsync(new PruneRequest("me", references, IsDryRun: false), Cancel);

        Assert.All(
            (PruneResult[])[dry, done],
            result =>
            {
                Assert.Equal([AssetHouse.HashOf("no more")], result.Deleted.Select(static a => a.Hash));
                Assert.Equal([AssetHouse.HashOf("never here")], result.Missing);
                Assert.Contains("You refer to it.", Reasons(result, "mine"));
                Assert.Equal(["It is pinned by they."], Reasons(result, "theirs"));
                Assert.StartsWith("Its lease runs until ", Assert.Single(Reasons(result, "leased")), StringComparison.Ordinal);
            }
        );
        Assert.Equal(3, _house.Files().Length);
        Assert.Equal([PinAsset.Pin("me")], _house.Find("mine")!.References);

        IReadOnlyList<string> Reasons(PruneResult result, string text) =>
            result.Kept.Single(k => k.Asset.Hash == AssetHouse.HashOf(text)).Reasons;
    }

    [Fact]
    public void Mentions_are_found_however_the_file_is_laid_out_and_nothing_else_is()
    {
        string hash = AssetHouse.HashOf("x").Value;
        Assert.Equal([hash], AssetMentions.Find(AssetHouse.Bytes($$"""{"sha256":"{{hash}}","sha256" : "short","x":"{{hash}}"}""")));
        Assert.Equal([hash], AssetMentions.Find(AssetHouse.Bytes($"\"sha256\"\n :\t\"{hash}\"")));
        Assert.Empty(AssetMentions.Find(AssetHouse.Bytes($"\"sha256\": \"{hash.ToUpperInvariant()}\"")));
        Assert.Empty(AssetMentions.Find("\"sha256\""u8));
    }

    private static byte[] Mentioning(params string[] texts) =>
        AssetHouse.Bytes("[" + string.Join(',', texts.Select(static t => $$"""{"sha256": "{{AssetHouse.HashOf(t)}}"}""")) + "]");

    public ValueTask DisposeAsync() => _house.DisposeAsync();
}
