using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Holdfast.SystemTests.Serving;

/// <summary>A run that was acknowledged, and the notebook that it runs.</summary>
internal sealed record AcknowledgedRun(TruthNotebook Notebook, string Id);

/// <summary>
/// Holds what a server says of a finished run against what its cells said themselves: none ran twice; one that succeeded has told its end,
/// one that was cancelled has not told its start, a lost one has a reason; outputs in REST and in the file are the cell's own, whole or,
/// when it was lost, their beginning.
/// </summary>
internal sealed class NotebookPromises(IStubbornCaller server, TruthFile truth)
{
    /// <summary>How many cells are lost, after the check.</summary>
    public int Lost { get; private set; }

    /// <summary>Checks one run; <paramref name="mayBreak"/> when its kernel's supervisor was killed.</summary>
    public async Task CheckAsync(AcknowledgedRun acknowledged, bool mayBreak, Violations violations)
    {
        TruthNotebook notebook = acknowledged.Notebook;
        RestReply reply = await server.PersistAsync(rest => rest.GetAsync($"/v1/notebooks/runs/{acknowledged.Id}"));
        if (reply.Status != 200)
        {
            violations.Missing.Add($"Run {acknowledged.Id} was acknowledged, and now: {reply.Text}");
            return;
        }

        JsonElement run = reply.Json;
        List<string> told = truth.Of(notebook.Name).ConvertAll(static t => t.Word);
        violations.Duplicated.AddRange(
            told.CountBy(static word => word)
                .Where(static c => c.Value > 1)
                .Select(c => $"{notebook.Name} told '{c.Key}' {c.Value.ToString(CultureInfo.InvariantCulture)} times")
        );
        List<string> saved = notebook.SavedOutputs();
        bool isWhole = true;
        foreach (JsonElement cell in run.GetProperty("cells").EnumerateArray())
        {
            int index = cell.GetProperty("index").GetInt32();
            string state = cell.GetProperty("state").GetString()!;
            isWhole &= state == "succeeded";
            Lost += state == "lost" ? 1 : 0;
            CheckState(cell, index, state, told, violations, notebook.Name);
            await CheckOutputAsync(notebook, cell.GetProperty("executionId").GetString()!, index, state, saved[index], violations);
        }

        if (!isWhole && !mayBreak)
        {
            violations.WronglyLost.Add($"{notebook.Name} was not run to its end although its supervisor was not killed: {run}");
        }

        if (isWhole != (run.GetProperty("state").GetString() == "succeeded"))
        {
            violations.WrongOutcome.Add($"The run of {notebook.Name} is not what its cells are: {run}");
        }
    }

    private static void CheckState(JsonElement cell, int index, string state, List<string> told, Violations violations, string name)
    {
        bool isRight = state switch
        {
            "succeeded" => told.Contains($"end-{index}"),
            "lost" => !string.IsNullOrEmpty(cell.GetProperty("reason").GetString()),
            "cancelled" => !told.Contains($"start-{index}"),
            _ => false,
        };
        if (!isRight)
        {
            violations.WrongOutcome.Add($"{name} cell {index} told {string.Join(", ", told)}, and is said to be: {cell}");
        }
    }

    private async Task CheckOutputAsync(
        TruthNotebook notebook,
        string execution,
        int index,
        string state,
        string saved,
        Violations violations
    )
    {
        string wrote = notebook.OutputOf(index);
        string shown = await server.PersistAsync(rest => rest.OutputTextAsync(execution));
        violations.Compare(Encoding.UTF8.GetBytes(shown), Encoding.UTF8.GetBytes(wrote), state == "succeeded");
        bool isRight = state == "succeeded" ? shown == wrote && saved == wrote : wrote.StartsWith(shown, StringComparison.Ordinal);
        if (!isRight)
        {
            violations.OutputMismatch.Add(
                $"{notebook.Name} cell {index} is {state} and printed {wrote.Length} characters; REST has {shown.Length}, the file {saved.Length}"
            );
        }
    }
}
