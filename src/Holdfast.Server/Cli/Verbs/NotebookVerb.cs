using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast notebook recover</c>: puts into a notebook what its cells said since it was saved.</summary>
internal static class NotebookVerb
{
    private static readonly Option DryRun = new("--dry-run", "", "show what would be restored, and leave the file as it is");

    public static Verb Verb => new("notebook", "notebook recover PATH", "put into a notebook what its cells said since it was last saved")
    {
        Options = [DryRun],
        Operands = (2, 2),
        Notes = "A cell whose source was changed after it was sent keeps the outputs it has, and is shown as a conflict.",
        RunAsync = RunAsync,
    };

    private static async Task<int> RunAsync(CliContext context, Arguments arguments)
    {
        if (arguments.Operands[0] != "recover")
        {
            throw new UsageException("notebook takes recover PATH.");
        }

        using var client = new HoldfastClient(context, arguments);
        string path = client.IsLocal ? Path.GetFullPath(arguments.Operands[1], context.CurrentDirectory) : arguments.Operands[1];
        bool isDryRun = arguments.Has(DryRun.Name);
        ApiRequest request = ApiRequest.Post("v1/notebooks/recover", json =>
        {
            json.WriteStartObject();
            json.WriteString("path", path);
            json.WriteBoolean("dryRun", isDryRun);
            json.WriteEndObject();
        });
        JsonElement recovery = await client.SendAsync(request with { IsRepeatable = true }, context.Interruption()).ConfigureAwait(false);
        context.Terminal.Write(Encoding.UTF8.GetBytes(arguments.IsJson ? recovery.Line() + "\n" : Text(recovery, isDryRun)));
        return ExitCodes.Success;
    }

    private static string Text(JsonElement recovery, bool isDryRun)
    {
        List<JsonElement> cells = [.. recovery.Items("cells")];
        if (cells.Count == 0)
        {
            return "Nothing to restore: the file has all that its cells have said.\n";
        }

        var text = new StringBuilder();
        var table = new TextTable("CELL", "ID", "RECOVERY", "STATE", "EXECUTION");
        foreach (JsonElement cell in cells)
        {
            table.Add((cell.Integer("index") ?? 0).ToString(CultureInfo.InvariantCulture), cell.Text("cellId"), cell.Text("recovery"), cell.Text("state"), cell.Text("executionId"));
        }

        int restored = cells.Count(static c => c.Text("recovery") == "restored");
        int conflicts = cells.Count - restored;
        _ = text.Append(table.Format(null)).Append(Sentences.Count(restored, "cell", "cells")).Append(isDryRun ? " would be restored" : " restored")
            .Append(conflicts == 0 ? "" : $", {conflicts} in conflict: the source was changed after it was sent").Append('.').Append('\n');
        return text.ToString();
    }
}
