using System.Text.Json.Nodes;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Contents;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Recovery.Orphans;
using Holdfast.Engine.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Notebooks;

/// <summary>
/// Goal: what could not be kept as an asset when its run ended is kept as soon as it can be, without anybody asking. Method: a journal and
/// a store as a cell leaves them; the folder of assets is not there at first.
/// </summary>
public sealed class OwedOutputsTests
{
    private const string Source = "print(1)\nprint(2)";
    private static readonly string Said = string.Concat(Enumerable.Range(0, 500).Select(static i => $"line {i}\n"));

    [Fact]
    public async Task What_was_owed_to_a_notebook_is_kept_later_and_the_notebook_then_says_where()
    {
        await using var house = new OwingHouse();
        await house.EndAsync();
        await house.Keeper.LookAsync(TestContext.Current.CancellationToken);
        Assert.Contains("not kept as an asset yet", house.Text, StringComparison.Ordinal);
        string before = house.Text;
        Assert.Equal([house.Path], house.Owed); // Still no room: it stays owed, and the file is not written over and over.
        Assert.Equal(before, house.Text);

        house.MakeRoom();
        await house.Keeper.LookAsync(TestContext.Current.CancellationToken);

        Assert.DoesNotContain("not kept as an asset yet", house.Text, StringComparison.Ordinal);
        string hash = (string)JsonNode.Parse(house.Text)!["cells"]![0]!["metadata"]!["holdfast"]!["assets"]![0]!["sha256"]!;
        Assert.Equal(Said, await house.ReadAsync(hash));
        Assert.Empty(house.Owed);
    }

    [Fact]
    public async Task Nothing_is_owed_to_a_cell_that_was_edited_since_or_a_notebook_that_is_gone()
    {
        await using var house = new OwingHouse();
        await house.EndAsync();
        string edited = house.Text.Replace("print(2)", "print(3)", StringComparison.Ordinal);
        File.WriteAllText(house.Path, edited);
        house.MakeRoom();
        await house.Keeper.LookAsync(TestContext.Current.CancellationToken);
        Assert.Equal(edited, house.Text);
        Assert.Empty(house.Owed);

        await house.OweAsync();
        File.Delete(house.Path);
        await house.Keeper.LookAsync(TestContext.Current.CancellationToken);
        Assert.Empty(house.Owed);
    }

    /// <summary>A notebook with one cell that said more than fits, and a place for assets that is not there yet.</summary>
    private sealed class OwingHouse : IAsyncDisposable
    {
        private readonly UnsavedResultsTests.NotebookRoom _room = UnsavedResultsTests
            .NotebookRoom.MakeAsync("n.ipynb")
            .GetAwaiter()
            .GetResult();
        private readonly AssetFolder _files;
        private readonly AssetOptions _options = new() { InlineBytesMax = 1024 };
        private readonly DataDirectoryPaths _paths;
        private readonly RecoverNotebook _recover;
        private ExecutionId _execution;

        public OwingHouse()
        {
            StateStore store = _room.Contents.Ledger.Store;
            _paths = new DataDirectoryPaths(_room.Contents.Data);
            _files = new AssetFolder(
                _paths,
                new TrashFolder(_paths.Trash, TimeSpan.FromDays(1), _room.Contents.Clock),
                _room.Contents.Clock
            );
            var keep = new StoreAsset(
                store,
                _room.Contents.Ledger.Feed,
                _files,
                new AssetQuota(store, _options),
                _options,
                "here",
                _room.Contents.Clock
            );
            var outputs = new OutputAssets(keep, store, _room.Contents.Root, _options, _room.Contents.Clock, NullLogger.Instance);
            _recover = new RecoverNotebook(
                _room.Contents.Root,
                new TrustedNotebooks(System.IO.Path.Combine(_room.Contents.Data, "trust")),
                new UnsavedResults(store, _room.Contents.Folders, outputs)
            )
            {
                Outputs = outputs,
                Assets = new NotebookAssets(store, _options, _room.Contents.Clock),
            };
            Keeper = new OwedOutputsKeeper(store, _recover, static _ => false, _room.Contents.Clock, NullLogger.Instance);
        }

        public OwedOutputsKeeper Keeper { get; }
        public string Path => _room.Contents.PathOf("n.ipynb");
        public string Text => File.ReadAllText(Path);
        public List<string> Owed => _room.Contents.Ledger.Store.Read(OwedOutputsTable.Paths);

        /// <summary>The cell ends, and its output is put into the file as well as that goes.</summary>
        public async Task EndAsync()
        {
            _execution = new ExecutionId(await _room.RunAsync("m1", "c0", Source, UnsavedResultsTests.SavedAt + 1_000_000, Said, count: 7));
            await _recover.RunAsync(Path, isDryRun: false);
            await OweAsync();
        }

        public Task OweAsync() =>
            _room.Contents.Ledger.Store.WriteAsync(
                transaction => OwedOutputsTable.Put(transaction, _execution, Path, 1),
                TestContext.Current.CancellationToken
            );

        public void MakeRoom() => Directory.CreateDirectory(_paths.Assets);

        public async Task<string> ReadAsync(string hash)
        {
            using OpenedAsset opened = await new ReadAsset(_room.Contents.Ledger.Store, _files, _options, _room.Contents.Clock).OpenAsync(
                new AssetHash(hash),
                TestContext.Current.CancellationToken
            );
            using var reader = new StreamReader(opened.Stream);
            return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await Keeper.DisposeAsync();
            _files.Dispose();
            await _room.DisposeAsync();
        }
    }
}
