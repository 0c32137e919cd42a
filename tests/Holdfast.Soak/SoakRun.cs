using System.Globalization;
using Holdfast.Soak.Books;
using Holdfast.Soak.Load;
using Holdfast.Soak.Mischief;
using Holdfast.SystemTests.Serving;

namespace Holdfast.Soak;

/// <summary>
/// One run: load and mischief until the time is up; then peace until all is over; one more kill and start; and then the books. Its exit
/// status is 1 when they do not balance, and then the folder is kept.
/// </summary>
internal sealed class SoakRun(SoakOptions options)
{
    private const int Callers = 3;

    /// <summary>How long what is over is kept: time enough to look at each, and little enough that retention is at work.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(120);

    private static readonly TimeSpan RetentionInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(30);
    private readonly Ledger _ledger = new();

    public async Task<int> RunAsync(CancellationToken interrupted, CancellationToken abandoned)
    {
        string kept = string.Create(CultureInfo.InvariantCulture, $"{Kept.TotalSeconds}s");
        await using TestServer server = TestServer.Prepare(
            new TestServerOptions
            {
                HasOwnSession = true,
                Arguments = ["--slots", "6", "--keep-executions", kept, "--keep-output", kept, "--keep-events", kept],
                Environment = new Dictionary<string, string> { ["HOLDFAST_CALLBACKS_ALLOW"] = "127.0.0.0/8" },
            }
        );
        using var house = new House(server, abandoned);
        var stage = new Stage(house, _ledger, new Victims(server));
        var samples = new Samples(house, options.IsSoak ? TimeSpan.FromSeconds(10) : TimeSpan.Zero);
        var leftovers = new Leftovers(stage, Kept + TimeSpan.FromSeconds(5));
        long start = TimeProvider.System.GetTimestamp();
        Say($"{options.Name}: {options.Duration.TotalMinutes:0.##} min, seed {options.Seed}, {Published.Release}, data in {server.Folder}");
        TimeSpan played = TimeSpan.Zero;
        try
        {
            await house.StartAsync();
            await PlayAsync(stage, samples, interrupted);
            played = TimeProvider.System.GetElapsedTime(start);
            Say("the time is up; the books are balanced");
            await leftovers.CheckAsync();
        }
        catch (Exception e)
        {
            _ledger.Break(
                Fault.Stuck,
                e is OperationCanceledException && abandoned.IsCancellationRequested
                    ? "Abandoned before the books were balanced."
                    : e.ToString()
            );
        }

        var books = new BookReport(
            options,
            _ledger,
            house,
            samples,
            leftovers,
            played > TimeSpan.Zero ? played : TimeProvider.System.GetElapsedTime(start)
        );
        books.Judge();
        Console.WriteLine(options.IsJson ? books.ToJson() : books.ToText());
        server.IsKept = _ledger.HasFaults || !books.IsBalanced;
        if (server.IsKept)
        {
            Say($"kept: {server.Folder}; again: ./dev {options.Name} --minutes {options.Duration.TotalMinutes:0.##} --seed {options.Seed}");
        }

        return server.IsKept ? 1 : 0;
    }

    private async Task PlayAsync(Stage stage, Samples samples, CancellationToken interrupted)
    {
        using var hooks = new Hooks();
        var maker = new JobMaker(stage, hooks);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(interrupted);
        deadline.CancelAfter(options.Duration);
        using var over = new CancellationTokenSource();
        var killer = new Killer(
            stage.House,
            _ledger,
            stage.Victims,
            options.IsSoak ? MischiefPlan.Soak : MischiefPlan.Crash,
            new Random(options.Seed)
        );
        Task[] watching = [samples.RunAsync(deadline.Token), ReportAsync(over.Token), RetainAsync(stage, over.Token)];
        List<Task> playing =
        [
            killer.RunAsync(deadline.Token),
            .. Enumerable
                .Range(1, Callers)
                .Select(caller => new JobLoad(stage, maker, hooks, new Random(options.Seed + caller)).RunAsync(deadline.Token)),
            new NotebookLoad(stage).RunAsync(deadline.Token),
            new CellLoad(stage).RunAsync(deadline.Token),
            new CascadeLoad(stage).RunAsync(deadline.Token),
            new TerminalLoad(stage).RunAsync(deadline.Token),
        ];

        // The first that fails ends it all: the others may wait for what it was to do.
        try
        {
            while (playing.Count > 0)
            {
                Task ended = await Task.WhenAny(playing);
                await ended;
                playing.Remove(ended);
            }
        }
        catch
        {
            stage.House.Abandon();
            throw;
        }

        await killer.KillServerAsync();
        maker.CheckFences(_ledger);
        maker.CheckNobodyRanAgain(_ledger);
        await over.CancelAsync();
        await Task.WhenAll(watching);
    }

    private async Task ReportAsync(CancellationToken over)
    {
        long start = TimeProvider.System.GetTimestamp();
        await EveryAsync(
            ReportInterval,
            () =>
            {
                Say(
                    $"{TimeProvider.System.GetElapsedTime(start).TotalSeconds, 5:0} s  acknowledged {_ledger.Accounts.Sum(static a => a.Acknowledged)}, finished {_ledger.Accounts.Sum(static a => a.Finished)}, "
                        + $"deeds {_ledger.Deeds.Values.Sum()}, broken {_ledger.Sentences.Count}"
                );
                return Task.CompletedTask;
            },
            over
        );
    }

    /// <summary>The server looks every hour by itself; here the hours are short.</summary>
    private static Task RetainAsync(Stage stage, CancellationToken over) =>
        EveryAsync(RetentionInterval, () => stage.House.PersistAsync(rest => rest.PostAsync("/v1/retention")), over);

    private static async Task EveryAsync(TimeSpan interval, Func<Task> act, CancellationToken over)
    {
        using var timer = new PeriodicTimer(interval, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(over))
            {
                await act();
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The run is over.
        }
    }

    private void Say(string text)
    {
        // With --json the answer is alone on standard output.
        (options.IsJson ? Console.Error : Console.Out).WriteLine(text);
    }
}
