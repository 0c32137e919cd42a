using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine;
using Holdfast.Engine.Assets;

namespace Holdfast.Tests.Assets;

/// <summary>
/// Goal: nothing that is leased or referred to is ever deleted, and everything else is in the end. Method: any walk of operations, clocks,
/// restarts and the states that crashes leave, against a model of leases and references.
/// </summary>
public sealed class AssetPropertyTests
{
    private const int Contents = 4;
    private static readonly string[] Notebooks = ["a.ipynb", "b.ipynb"];

    private sealed class Model
    {
        public DateTimeOffset?[] LeaseUntil { get; } = new DateTimeOffset?[Contents]; // Null: not there, or it may be gone.
        public HashSet<string>[] Pins { get; } = [.. Enumerable.Range(0, Contents).Select(static _ => new HashSet<string>())];
        public Dictionary<string, HashSet<int>> InFiles { get; } = Notebooks.ToDictionary(static n => n, static _ => new HashSet<int>());
    }

#pragma warning disable VSTHRD002 // A property is not async.
    [Fact]
    public void Nothing_that_is_leased_or_referred_to_is_deleted_and_everything_else_is() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(12),
            Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ListOf(80).ToArbitrary(), steps => WalkAsync([.. steps]).GetAwaiter().GetResult())
        );
#pragma warning restore VSTHRD002

    private static async Task<bool> WalkAsync(int[] steps)
    {
        await using var house = new AssetHouse();
        var model = new Model();
        foreach (int step in steps)
        {
            await TakeAsync(house, model, step);
            for (int i = 0; i < Contents; i++)
            {
                bool isNeeded =
                    model.LeaseUntil[i] >= house.Clock.GetUtcNow()
                    || model.Pins[i].Count > 0
                    || (model.LeaseUntil[i] is not null && model.InFiles.Values.Any(f => f.Contains(i)));
                if (isNeeded)
                {
                    Assert.NotNull(house.Find(Text(i)));
                    Assert.Equal(Text(i), await File.ReadAllTextAsync(house.FileOf(Text(i))));
                }
            }
        }

        foreach (string notebook in Notebooks)
        {
            File.Delete(house.NotebookPath(notebook));
            await house.Notebooks.SeenAsync(house.NotebookPath(notebook), default);
        }

        for (int i = 0; i < Contents; i++)
        {
            foreach (string pin in model.Pins[i])
            {
                await house.Unpin.RunAsync(AssetHouse.HashOf(Text(i)), pin, CancellationToken.None);
            }
        }

        house.Clock.Turn(TimeSpan.FromDays(400));
        await house.CollectAsync();
        await house.SweepAsync();
        Assert.Empty(house.Files());
        Assert.Equal(0, house.Store.Read(AssetsTable.Total).Count);
        return true;
    }

    private static async Task TakeAsync(AssetHouse house, Model model, int step)
    {
        int i = step / 16 % Contents;
        string text = Text(i);
        AssetHash hash = AssetHouse.HashOf(text);
        string notebook = Notebooks[step / 64 % Notebooks.Length];
        TimeSpan lease = TimeSpan.FromHours(step / 256 % 40);
        switch (step % 16)
        {
            case 0 or 1:
                await house.StoreAsync(text, lease);
                Extend(lease);
                break;
            case 2:
                await house.StoreAsync(text, lease, new AssetReference(AssetReferenceKind.Pin, "p"));
                Extend(lease);
                model.Pins[i].Add("p");
                break;
            case 3 when house.Find(text) is not null:
                await house.Renew.RunAsync(hash, lease, CancellationToken.None);
                Extend(lease);
                break;
            case 4 when house.Find(text) is not null:
                await house.Pin.RunAsync(hash, "q", CancellationToken.None);
                model.Pins[i].Add("q");
                break;
            case 5 when house.Find(text) is not null:
                await house.Unpin.RunAsync(hash, "q", CancellationToken.None);
                model.Pins[i].Remove("q");
                break;
            case 6 when house.Find(text) is not null:
                model.InFiles[notebook] = [i];
                byte[] json = AssetHouse.Bytes($"[{{\"sha256\": \"{hash}\"}}]");
                await File.WriteAllBytesAsync(house.NotebookPath(notebook), json);
                await house.Notebooks.SeenAsync(house.NotebookPath(notebook), json);
                Extend(house.Options.Lease);
                break;
            case 7:
                model.InFiles[notebook] = []; // Edited behind the server's back.
                await File.WriteAllTextAsync(house.NotebookPath(notebook), "{}");
                break;
            case 8 or 9:
                house.Clock.Turn(lease);
                break;
            case 10 or 11:
                await house.Collect.RunAsync(CancellationToken.None);
                break;
            case 12:
                await house.CollectAsync();
                break;
            case 13:
                await house.Prune.RunAsync(
                    new PruneRequest("q", step / 1024 % 2 == 0 ? [hash] : null, IsDryRun: false),
                    CancellationToken.None
                );
                if (step / 1024 % 2 == 0)
                {
                    Array.ForEach(model.Pins, static pins => pins.Remove("q"));
                    if (house.Find(text) is not null)
                    {
                        model.Pins[i].Add("q");
                    }
                }

                break;
            case 14:
                await house.RestartAsync();
                break;
            case 15 when house.Find(text) is null:
                // A crash between a file and its row, or between the deletion of a row and of its file; and one in the middle of a draft.
                Directory.CreateDirectory(Path.GetDirectoryName(house.FileOf(text))!);
                await File.WriteAllTextAsync(house.FileOf(text), step % 32 == 15 ? text : text[..1]);
                await File.WriteAllTextAsync(Path.Combine(house.Paths.Assets, Ulid.New(house.Clock) + ".tmp"), "x");
                break;
            case 15:
                await house.SweepAsync();
                break;
        }

        for (int n = 0; n < Contents; n++)
        {
            if (
                house.Find(Text(n)) is null
                && model.Pins[n].Count == 0
                && !(model.LeaseUntil[n] >= house.Clock.GetUtcNow())
                && !model.InFiles.Values.Any(f => f.Contains(n))
            )
            {
                model.LeaseUntil[n] = null;
            }
        }

        void Extend(TimeSpan by)
        {
            DateTimeOffset until = house.Clock.GetUtcNow() + by;
            model.LeaseUntil[i] = model.LeaseUntil[i] is { } known && known > until ? known : until;
        }
    }

    private static string Text(int i) => $"content {i}";
}
