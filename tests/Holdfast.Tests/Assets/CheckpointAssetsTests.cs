using System.Text;
using Holdfast.Engine.Contents;

namespace Holdfast.Tests.Assets;

/// <summary>A checkpoint is a notebook that somebody may want back: what it refers to stays for as long as it is there.</summary>
public sealed class CheckpointAssetsTests
{
    [Fact]
    public async Task What_only_a_checkpoint_refers_to_stays_until_the_checkpoint_is_another()
    {
        await using var house = new AssetHouse();
        await house.StoreAsync("big");
        Directory.CreateDirectory(house.NotebookPath("root"));
        var root = new ContentsRoot(house.NotebookPath("root"), allowsHidden: false);
        var save = new SaveContents(root, new TrustedNotebooks(house.NotebookPath("trust"))) { Assets = house.Notebooks };
        var checkpoint = new CreateCheckpoint(root) { Assets = house.Notebooks };
        ContentsPath path = ContentsPath.Parse("book.ipynb");
        await SaveAsync(AssetHouse.HashOf("big").Value);
        await checkpoint.RunAsync(path);
        await SaveAsync("nothing");

        house.Clock.Turn(TimeSpan.FromDays(2));
        Assert.Equal(0, await house.CollectAsync());

        await new RestoreCheckpoint(root) { Assets = house.Notebooks }.RunAsync(path, "checkpoint");
        File.Delete(house.NotebookPath("root/.ipynb_checkpoints/book-checkpoint.ipynb"));
        house.Clock.Turn(TimeSpan.FromDays(2));
        Assert.Equal(0, await house.CollectAsync()); // The notebook itself refers to it again.

        await SaveAsync("nothing");
        await checkpoint.RunAsync(path);
        house.Clock.Turn(TimeSpan.FromDays(2));
        Assert.Equal(1, await house.CollectAsync());

        Task SaveAsync(string mentioned) =>
            save.RunAsync(new ContentsToSave(path, ContentsType.Notebook) { Content = Notebook(mentioned) });
    }

    private static byte[] Notebook(string text) =>
        Encoding.UTF8.GetBytes(
            $$$$"""{"cells":[{"cell_type":"code","id":"a","execution_count":null,"outputs":[],"source":"","metadata":{"holdfast":{"assets":[{"sha256":"{{{{text}}}}"}]}}}],"metadata":{},"nbformat":4,"nbformat_minor":5}"""
        );
}
