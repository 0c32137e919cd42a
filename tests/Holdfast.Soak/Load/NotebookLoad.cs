using System.Text.Json;
using Holdfast.Soak.Books;
using Holdfast.Soak.Mischief;
using Holdfast.SystemTests.Serving;

namespace Holdfast.Soak.Load;

/// <summary>
/// Runs one notebook after the other, each in a kernel of its own, and holds cells and file against what the cells said themselves.
/// </summary>
internal sealed class NotebookLoad(Stage stage)
{
    private const string Work = "cells of notebook runs";
    private const int Cells = 3;

    public Task RunAsync(CancellationToken until) => stage.RepeatAsync("notebook", PlayAsync, until);

    private async Task PlayAsync()
    {
        string name = stage.NextName("book");
        TruthFile truth = stage.Truth(name);
        var notebook = new TruthNotebook(stage.Server, truth, name, Cells, lines: 20);
        int hits = stage.Victims.KernelHits;
        string id = await stage.House.PersistAsync(rest => rest.RunOnceAsync(notebook));
        Account account = stage.Ledger.Of(Work);
        account.Acknowledge(Cells);

        JsonElement run = default;
        await Patience.UntilAsync(
            async () =>
            {
                run = await stage.House.PersistAsync(rest => rest.WaitForRunAsync(id));
                return run.GetProperty("state").GetString() != "running";
            },
            $"the run of {name} ended"
        );

        // One that never came so far as to tell which kernel it had may have had any of those that were hit.
        IReadOnlyList<Truth> told = [.. truth.Read()];
        string? cause =
            told.Count > 0 ? told.Select(t => stage.Victims.CauseOf(t.Attempt)).FirstOrDefault(static c => c is not null)
            : stage.Victims.KernelHits > hits ? Victims.BySupervisor
            : null;
        if (
            cause is null
            && run.GetProperty("state").GetString() != "succeeded"
            && await stage.IsStartedTooLateAsync(run.GetProperty("kernelId").GetString()!)
        )
        {
            cause = Victims.ByStart;
        }

        var violations = new Violations();
        await new NotebookPromises(stage.House, truth).CheckAsync(new AcknowledgedRun(notebook, id), cause is not null, violations);
        stage.Take(violations);
        foreach (JsonElement cell in run.GetProperty("cells").EnumerateArray())
        {
            if (cell.GetProperty("state").GetString() == "succeeded")
            {
                account.Finish();
            }
            else if (cause is not null)
            {
                account.Lose(cause);
            }
        }

        File.Delete(notebook.FullPath);
    }
}
