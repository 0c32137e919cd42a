using System.Globalization;
using System.Text.Json;
using Holdfast.Soak.Books;
using Holdfast.Soak.Mischief;
using Holdfast.SystemTests.Serving;

namespace Holdfast.Soak.Load;

/// <summary>
/// Somebody edits one cell of a reactive notebook again and again, and each time runs what has become stale. What the last cell shows in
/// the file is the sum of it.
/// </summary>
internal sealed class CascadeLoad(Stage stage)
{
    private const string Work = "cells of cascades";
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);
    private int _number;

    public async Task RunAsync(CancellationToken until)
    {
        ReactiveBook book = new(
            stage.Server,
            "reactive",
            ("show", "print('total', total, flush=True)"),
            ("sum", "total = x + y"),
            ("x", "x = 0"),
            ("y", "y = 1000")
        );
        await stage.RepeatAsync("cascade", () => PlayAsync(book), until);
    }

    private async Task PlayAsync(ReactiveBook book)
    {
        book.Edit("x", string.Create(CultureInfo.InvariantCulture, $"x = {++_number}"));

        string expected = string.Create(CultureInfo.InvariantCulture, $"total {1000 + _number}\n");
        string answers = "";

        // A cascade that a death cut short leaves cells stale, and the next runs them.
        for (bool isOver = false; !isOver; )
        {
            int hits = stage.Victims.IsKernelHitFresh ? -1 : stage.Victims.KernelHits;
            RestReply reply = await stage.House.PersistAsync(rest => rest.PostAsync("/v1/notebooks/cascade", book.Request()));
            answers += string.Create(CultureInfo.InvariantCulture, $" {reply.Status}");
            switch (reply.Status)
            {
                case 201:
                    isOver = await EndAsync(reply.Json, hits);
                    break;
                case 200: // Nothing is stale: the one before, whose answer nobody heard, has run; or is running, and will have.
                    await Patience.UntilAsync(
                        () => book.Output("show") == expected,
                        $"what nobody heard of showed {expected.TrimEnd()}; the server says {reply.Text}"
                    );
                    isOver = true;
                    break;
                case 409: // It still runs, or its kernel is just dying.
                    await Task.Delay(LookAgain, TimeProvider.System);
                    break;
                default:
                    throw new InvalidOperationException($"A cascade was answered {reply.Status}: {reply.Text}");
            }
        }

        string shown = book.Output("show");
        stage.Ledger.Compared(shown.Length, shown == expected ? 0 : expected.Length);
        if (shown != expected)
        {
            stage.Ledger.Break(
                Fault.WrongBytes,
                $"After the cascade (answered{answers}) the notebook shows '{shown.TrimEnd()}', and should show '{expected.TrimEnd()}'."
            );
        }
    }

    private async Task<bool> EndAsync(JsonElement accepted, int hits)
    {
        string id = accepted.GetProperty("id").GetString()!;
        JsonElement[] cells = [.. accepted.GetProperty("cells").EnumerateArray()];
        Account account = stage.Ledger.Of(Work);
        account.Acknowledge(cells.Length);
        JsonElement end = default;
        await Patience.UntilAsync(
            async () =>
            {
                end = (await stage.House.PersistAsync(rest => rest.GetAsync($"/v1/notebooks/cascades/{id}?timeoutSeconds=20")))
                    .Must(200)
                    .Json;
                return end.GetProperty("finishedAt").ValueKind != JsonValueKind.Null;
            },
            $"cascade {id} ended"
        );
        bool isWhole = true;
        foreach (JsonElement cell in end.GetProperty("cells").EnumerateArray())
        {
            if (cell.GetProperty("state").GetString() == "succeeded")
            {
                account.Finish();
                continue;
            }

            isWhole = false;
            account.Lose(Victims.ByKernel);
        }

        if (!isWhole && stage.Victims.KernelHits == hits && !await stage.IsStartedTooLateAsync(end.GetProperty("kernelId").GetString()!))
        {
            stage.Ledger.Break(Fault.WronglyLost, $"A cascade was not run to its end although nobody killed a kernel: {end}");
        }

        return isWhole;
    }
}
