using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Graphs;

/// <summary>
/// `holdfast notebook convert`: what reactive mode would make of a linear notebook, cell by cell, and with --write the notebook made
/// reactive.
/// </summary>
internal static class ConvertCommand
{
    public static readonly Option WriteIt = new("--write", "", "for convert: change the notebook; without it nothing is written");
    public static readonly Option Partial = new("--partial", "", "for convert: write also when cells stay blocked");

    public static async Task<int> RunAsync(CliContext context, Arguments arguments)
    {
        if (arguments.Has(Partial.Name) && !arguments.Has(WriteIt.Name))
        {
            throw new UsageException("--partial goes with --write.");
        }

        CancellationToken interruption = context.Interruption();
        using HoldfastClient client = await Contact.OpenOrStartAsync(context, arguments, interruption).ConfigureAwait(false);
        string path = client.IsLocal ? Path.GetFullPath(arguments.Operands[1], context.CurrentDirectory) : arguments.Operands[1];
        JsonElement report = await client
            .SendAsync(Request(path, isWritten: false, isPartial: false) with { IsRepeatable = true }, interruption)
            .ConfigureAwait(false);
        if (!arguments.IsJson)
        {
            Write(context, Text(report)); // What is found is shown also when it is then not written.
        }

        if (arguments.Has(WriteIt.Name))
        {
            report = await client
                .SendAsync(Request(path, isWritten: true, arguments.Has(Partial.Name)), interruption)
                .ConfigureAwait(false);
        }

        Write(context, arguments.IsJson ? report.Line() + "\n" : Outcome(report));
        return report.Items("blocked").Count == 0 ? ExitCodes.Success : ExitCodes.Refused;
    }

    private static ApiRequest Request(string path, bool isWritten, bool isPartial) =>
        ApiRequest.Post(
            "v1/notebooks/convert",
            json =>
            {
                json.WriteStartObject();
                json.WriteString("path", path);
                json.WriteBoolean("write", isWritten);
                json.WriteBoolean("partial", isPartial);
                json.WriteEndObject();
            }
        );

    private static string Text(JsonElement report)
    {
        var text = new StringBuilder();
        foreach (JsonElement finding in report.Items("findings"))
        {
            string level = finding.Boolean("fixed") == true ? "fixed" : finding.Text("level")!;
            string line = finding.Integer("line") is > 0 and var number
                ? string.Create(CultureInfo.InvariantCulture, $", line {number}")
                : "";
            _ = text.Append(
                    CultureInfo.InvariantCulture,
                    $"{level, -7}  cell {finding.Integer("index")} ({finding.Text("cellId")}){line}: {TerminalText.Printable(finding.Text("message")!)}\n"
                )
                .Append(CultureInfo.InvariantCulture, $"         reactive: {TerminalText.Printable(finding.Text("effect")!)}\n")
                .Append(CultureInfo.InvariantCulture, $"         fix: {TerminalText.Printable(finding.Text("fix")!)}\n");
        }

        return text.ToString();
    }

    private static string Outcome(JsonElement report)
    {
        IReadOnlyList<JsonElement> findings = report.Items("findings");
        int Count(string level) => findings.Count(f => f.Boolean("fixed") != true && f.Text("level") == level);
        int renames = report.Items("renames").Count;
        var text = new StringBuilder();
        _ = text.Append(Sentences.Count(report.Integer("cells") ?? 0, "cell", "cells"))
            .Append(": ")
            .Append(
                renames == 0
                    ? "nothing is renamed"
                    : $"{Sentences.Count(findings.Count(static f => f.Boolean("fixed") == true), "redefinition", "redefinitions")} mended by renaming in {Sentences.Count(renames, "place", "places")}"
            )
            .Append(
                CultureInfo.InvariantCulture,
                $"; {Sentences.Count(Count("error"), "error", "errors")}, {Sentences.Count(Count("warning"), "warning", "warnings")}, {Sentences.Count(Count("note"), "note", "notes")} left.\n"
            );
        if (report.Items("blocked") is { Count: > 0 } blocked)
        {
            _ = text.Append(
                CultureInfo.InvariantCulture,
                $"Blocked in reactive mode: {string.Join(", ", blocked.Select(static b => b.GetString()))}.\n"
            );
        }

        return text.Append(
                report.Boolean("written") == true ? $"The notebook is reactive. As it was it is kept in {report.Text("backup")}\n"
                : report.Text("mode") == "reactive" ? "The notebook is reactive already; nothing was written.\n"
                : "Nothing was written; --write makes it so.\n"
            )
            .ToString();
    }

    private static void Write(CliContext context, string text) => context.Terminal.Write(Encoding.UTF8.GetBytes(text));
}
