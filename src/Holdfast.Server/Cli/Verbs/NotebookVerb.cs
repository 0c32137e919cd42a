using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Graphs;
using Holdfast.Server.Cli.Runs;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast notebook</c>: puts into a notebook what its cells said since it was saved, and runs reactive notebooks.</summary>
internal static class NotebookVerb
{
    private static readonly Option DryRun = new("--dry-run", "", "show what would be restored, and leave the file as it is");

    public static Verb Verb =>
        new(
            "notebook",
            "notebook graph|check|convert|mode|disable|enable|run-stale|resume|watch|recover PATH",
            "look at and run a reactive notebook; restore what a notebook's cells said"
        )
        {
            Options =
            [
                DryRun,
                GraphCommands.Format,
                GraphCommands.Strict,
                GraphCommands.Autorun,
                GraphCommands.Lazy,
                ConvertCommand.WriteIt,
                ConvertCommand.Partial,
                .. RunOptions.OfCascade,
            ],
            Operands = (2, null),
            Notes = """
                graph      what each cell defines and takes from which other, of a linear notebook too
                check      PATH...: what keeps cells from running (cycles, names with two cells, texts that cannot be read): exit code 1; and notes on what is unused
                convert    what reactive mode would make of a linear notebook, and with --write make it reactive: names that several cells define are renamed where that is
                           safe, and the notebook as it was is kept. Exit code 1 when cells would be blocked all the same
                mode       PATH reactive|linear [--autorun|--lazy]: kept in the notebook
                disable    PATH CELL...: the cells do not run, nor what needs them; kept in the notebook. enable takes it back
                recover    put into the file what its cells said since it was last saved. A cell whose source was changed after it was sent keeps the outputs it has,
                           and is shown as a conflict
                run-stale  run every cell that is stale, in the order of what cells need of one another (as run --reactive)
                resume     the same, after an error or a death of the kernel; it is refused when there is nothing to resume
                watch      run what is stale each time the file is saved, by whatever editor, until Ctrl-C
                Exit codes of run-stale and resume: as those of run; 1 also when a cell may not run.
                """,
            RunAsync = RunAsync,
        };

    private static Task<int> RunAsync(CliContext context, Arguments arguments) =>
        arguments.Operands[0] switch
        {
            "mode" => GraphCommands.ModeAsync(context, arguments),
            "check" => GraphCommands.CheckAsync(context, arguments),
            "disable" or "enable" => GraphCommands.SwitchAsync(context, arguments, arguments.Operands[0] == "disable"),
            _ when arguments.Operands.Count > 2 => throw new UsageException("notebook takes one PATH."),
            "graph" => GraphCommands.GraphAsync(context, arguments),
            "convert" => ConvertCommand.RunAsync(context, arguments),
            "recover" => RecoverAsync(context, arguments),
            "run-stale" => CascadeRun.RunAsync(context, arguments, arguments.Operands[1], isResume: false),
            "resume" => CascadeRun.RunAsync(context, arguments, arguments.Operands[1], isResume: true),
            "watch" => WatchAsync(context, arguments),
            _ => throw new UsageException(
                "notebook takes graph, check, convert, mode, disable, enable, run-stale, resume, watch or recover, and a PATH."
            ),
        };

    private static async Task<int> WatchAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        string path = Path.GetFullPath(arguments.Operands[1], context.CurrentDirectory);
        if (Directory.Exists(path))
        {
            throw new RefusedException(ErrorCodes.NotebookUnreadable, $"{path} is a folder; one notebook is watched.");
        }

        if (!File.Exists(path))
        {
            throw new RefusedException(ErrorCodes.NotebookNotFound, $"There is no file {path} to watch.");
        }

        using HoldfastClient client = await Contact.OpenOrStartAsync(context, arguments, interruption).ConfigureAwait(false);
        client.BePatient();
        await new NotebookWatch(context, arguments, client, path).RunAsync(interruption).ConfigureAwait(false);
        return ExitCodes.Success;
    }

    private static async Task<int> RecoverAsync(CliContext context, Arguments arguments)
    {
        using var client = new HoldfastClient(context, arguments);
        string path = client.IsLocal ? Path.GetFullPath(arguments.Operands[1], context.CurrentDirectory) : arguments.Operands[1];
        bool isDryRun = arguments.Has(DryRun.Name);
        ApiRequest request = ApiRequest.Post(
            "v1/notebooks/recover",
            json =>
            {
                json.WriteStartObject();
                json.WriteString("path", path);
                json.WriteBoolean("dryRun", isDryRun);
                json.WriteEndObject();
            }
        );
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
            table.Add(
                (cell.Integer("index") ?? 0).ToString(CultureInfo.InvariantCulture),
                cell.Text("cellId"),
                cell.Text("recovery"),
                cell.Text("state"),
                cell.Text("executionId")
            );
        }

        int restored = cells.Count(static c => c.Text("recovery") == "restored");
        int conflicts = cells.Count - restored;
        _ = text.Append(table.Format(null))
            .Append(Sentences.Count(restored, "cell", "cells"))
            .Append(isDryRun ? " would be restored" : " restored")
            .Append(conflicts == 0 ? "" : $", {conflicts} in conflict: the source was changed after it was sent")
            .Append('.')
            .Append('\n');
        return text.ToString();
    }
}
