using System.Text;
using System.Text.Json;
using Holdfast.Soak.Books;
using Holdfast.Soak.Mischief;
using Holdfast.SystemTests.Serving;

namespace Holdfast.Soak.Load;

/// <summary>
/// A person at a kernel: cells over the WebSocket, one after the other. What REST has of each, and what the person was shown, are held
/// against what the cell said itself.
/// </summary>
internal sealed class CellLoad(Stage stage)
{
    private const string Work = "clients' cells";
    private const int CellsPerKernel = 25;
    private const int Lines = 30;
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan UnheardPatience = TimeSpan.FromSeconds(5);

    public Task RunAsync(CancellationToken until) => stage.RepeatAsync("cells", () => PlayAsync(until), until);

    private async Task PlayAsync(CancellationToken until)
    {
        // Asked again it may start another: that one nobody uses is ended with the rest.
        int hits = stage.Victims.KernelHits;
        RestReply started = await stage.House.PersistAsync(rest => rest.PostAsync("/v1/kernels", """{"name":"python3"}"""));
        if (started.Status == 502 && (stage.Victims.KernelHits > hits || started.Text.Contains("did not answer", StringComparison.Ordinal)))
        {
            return; // It was killed before it was ready, or the machine had no time for it.
        }

        string kernel = started.Must(201).Json.GetProperty("id").GetString()!;
        await using (var screen = new KernelScreen(stage.House, kernel))
        {
            screen.Begin();
            for (int cell = 0; cell < CellsPerKernel && !until.IsCancellationRequested; cell++)
            {
                await PlayAsync(kernel, screen);
            }

            stage.Ledger.Did("returns of WebSocket clients", screen.Returns);
        }

        _ = await stage.House.PersistAsync(rest => rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/v1/kernels/" + kernel)));
    }

    private async Task PlayAsync(string kernel, KernelScreen screen)
    {
        string name = stage.NextName("cell");
        TruthFile truth = stage.Truth(name);
        int hits = stage.Victims.KernelHits;
        string? id = await screen.ExecuteAsync(Code(name, truth));
        if (id is null || await FindAsync(id, truth) is not { } found)
        {
            stage.Ledger.Did("cells that never arrived");
            if (id is not null && truth.Read().Count > 0)
            {
                stage.Ledger.Break(Fault.Missing, $"{name} ran in {kernel}, and there is no execution of message {id}.");
            }

            return;
        }

        Account account = stage.Ledger.Of(Work);
        account.Acknowledge();
        ExecutionReply end = await stage.House.EndOfAsync(found);
        List<string> told = truth.Read().ConvertAll(static t => t.Word);
        if (told.Count != told.Distinct().Count())
        {
            stage.Ledger.Break(Fault.Doubled, $"{name} told {string.Join(", ", told)}");
        }

        string written = string.Concat(Enumerable.Range(0, Lines).Select(line => $"{name} line {line}\n"));
        string output = (await stage.House.PersistAsync(rest => rest.OutputAsync(found))).Must(200).Text;
        var violations = new Violations();
        violations.Compare(Encoding.UTF8.GetBytes(output), Encoding.UTF8.GetBytes(written), end.State == "succeeded");
        if (end.State == "succeeded")
        {
            account.Finish();
            if (output != written || !told.SequenceEqual(["start", "end"]))
            {
                violations.OutputMismatch.Add(
                    $"{name} told {string.Join(", ", told)} and wrote {written.Length} characters; REST has {output.Length}"
                );
            }

            await CheckScreenAsync(name, screen, written, violations);
        }
        else
        {
            string? cause =
                truth.Read().FirstOrDefault() is { } first ? stage.Victims.CauseOf(first.Attempt)
                : stage.Victims.KernelHits > hits ? Victims.ByKernel
                : null;
            if (cause is null)
            {
                violations.WronglyLost.Add($"{name} is {end.State} although nobody killed its kernel: {end}");
            }
            else
            {
                account.Lose(cause);
            }

            if (!written.StartsWith(output, StringComparison.Ordinal))
            {
                violations.OutputMismatch.Add($"{name} was cut short, and what REST has is not its beginning");
            }
        }

        stage.Take(violations);
    }

    private static async Task CheckScreenAsync(string name, KernelScreen screen, string written, Violations violations)
    {
        try
        {
            await Patience.UntilAsync(
                () => screen.Look() is var (text, isWhole) && isWhole && text.Length >= written.Length,
                "the client was shown the end"
            );
        }
        catch (TimeoutException)
        {
            // Said below.
        }

        (string shown, bool isWholeAtLast) = screen.Look();
        if (shown != written || !isWholeAtLast)
        {
            violations.OutputMismatch.Add(
                $"{name} wrote {written.Length} characters, and its client was shown {shown.Length}{(isWholeAtLast ? "" : ", and not one idle and one reply")}"
            );
        }
    }

    /// <summary>The execution of a message, which is there soon after the kernel was sent it; null when it was not.</summary>
    private async Task<string?> FindAsync(string message, TruthFile truth)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            JsonElement page = await stage.House.PersistAsync(async rest =>
                (await rest.GetAsync("/v1/executions?kind=cell&limit=100")).Must(200).Json
            );
            foreach (JsonElement execution in page.GetProperty("executions").EnumerateArray())
            {
                if (execution.TryGetProperty("messageId", out JsonElement id) && id.GetString() == message)
                {
                    return execution.GetProperty("id").GetString();
                }
            }

            // What has run must be there; what has not may have been lost on the way.
            if (TimeProvider.System.GetElapsedTime(start) > (truth.Read().Count > 0 ? Patience.Limit : UnheardPatience))
            {
                return null;
            }

            await Task.Delay(LookAgain, TimeProvider.System);
        }
    }

    private static string Code(string name, TruthFile truth) =>
        $$"""
            import os, time
            def tell(word):
                with open('{{truth.Path}}', 'a') as truth:
                    truth.write(f"{os.environ['HOLDFAST_ATTEMPT'].split(':')[0]} {{name}} {word}\n")
            tell('start')
            for line in range({{Lines}}):
                print('{{name}} line', line, flush=True)
                time.sleep(0.01)
            tell('end')
            """;
}
