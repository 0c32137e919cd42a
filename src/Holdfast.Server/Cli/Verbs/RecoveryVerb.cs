using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast recovery</c>: what the server found when it last started, and the repair of what it could not put right.</summary>
internal static class RecoveryVerb
{
    private static readonly Option Reason = new("--reason", "TEXT", "for the repairs: why; it is kept");
    private static readonly Option DryRun = new("--dry-run", "", "for orphans: show what would be swept, and touch nothing");
    private static readonly string[] Verdicts = ["readopted", "ended", "requeued", "lost", "quarantined"];

    public static Verb Verb =>
        new(
            "recovery",
            "recovery [history | orphans [--dry-run] | retry PHASE|ID | mark-lost ID --reason TEXT | quarantine ID --reason TEXT]",
            "show what the server found when it started: work re-adopted, ended meanwhile, lost"
        )
        {
            Options = [Reason, DryRun],
            Operands = (0, 2),
            Notes = """
                What could not be judged is listed as quarantined, with the reason, and left as it is. Mend the cause, then: retry ID. Or call it lost:
                mark-lost ID. quarantine ID keeps later starts from trying. retry PHASE runs a phase again while the server runs. The ID is that of
                the attempt, the execution or the kernel. history lists the last start-ups. orphans sweeps what nobody owns: it is set aside, and deleted
                when a day has passed.
                """,
            RunAsync = RunAsync,
        };

    private static Task<int> RunAsync(CliContext context, Arguments arguments) =>
        arguments.Operands switch
        {
            [] => ShowAsync(context, arguments),
            ["history"] => ShowHistoryAsync(context, arguments),
            ["orphans"] => SweepAsync(context, arguments),
            ["retry", var item] => RepairAsync(context, arguments, "retry", item),
            ["mark-lost" or "quarantine", _] when arguments.Text(Reason.Name) is null => throw new UsageException(
                $"recovery {arguments.Operands[0]} needs --reason TEXT; it is kept."
            ),
            ["mark-lost" or "quarantine", var item] => RepairAsync(context, arguments, arguments.Operands[0], item),
            _ => throw new UsageException("recovery takes nothing, history, orphans, retry PHASE|ID, mark-lost ID or quarantine ID."),
        };

    private static async Task<int> ShowAsync(CliContext context, Arguments arguments)
    {
        using var client = new HoldfastClient(context, arguments);
        JsonElement report = await client.GetAsync("v1/recovery", context.Interruption()).ConfigureAwait(false);
        context.Terminal.Write(Encoding.UTF8.GetBytes(arguments.IsJson ? report.Line() + "\n" : Text(context, report)));
        return ExitCodes.Success;
    }

    private static async Task<int> ShowHistoryAsync(CliContext context, Arguments arguments)
    {
        using var client = new HoldfastClient(context, arguments);
        JsonElement report = await client.GetAsync("v1/recovery", context.Interruption()).ConfigureAwait(false);
        var table = new TextTable("STARTED", "VERSION", "TIME", "FOUND", "READOPTED", "ENDED", "REQUEUED", "LOST", "QUARANTINED");
        foreach (JsonElement start in (IEnumerable<JsonElement>)[report, .. report.Items("history")])
        {
            string time = start.Boolean("complete") == true ? Milliseconds(start) : "interrupted";
            table.Add([
                start.Text("startedAt"),
                start.Text("version"),
                time,
                .. ((string[])["found", .. Verdicts]).Select(n => start.Integer(n)?.ToString(CultureInfo.InvariantCulture)),
            ]);
        }

        context.Terminal.Write(
            Encoding.UTF8.GetBytes(
                arguments.IsJson
                    ? report.Field("history")!.Value.Line() + "\n"
                    : table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null)
            )
        );
        return ExitCodes.Success;
    }

    private static async Task<int> SweepAsync(CliContext context, Arguments arguments)
    {
        bool isDryRun = arguments.Has(DryRun.Name);
        using var client = new HoldfastClient(context, arguments);
        JsonElement sweep = await client
            .SendAsync(isDryRun ? ApiRequest.Get("v1/recovery/orphans") : ApiRequest.Post("v1/recovery/orphans"), context.Interruption())
            .ConfigureAwait(false);
        if (arguments.IsJson)
        {
            context.Terminal.WriteLine(sweep.Line());
            return ExitCodes.Success;
        }

        var table = new TextTable("KIND", isDryRun ? "WOULD" : "DID", "SUBJECT", "REASON");
        foreach (JsonElement orphan in sweep.Items("orphans"))
        {
            table.Add(orphan.Text("kind"), orphan.Text("action"), orphan.Text("subject"), orphan.Text("reason"));
        }

        context.Terminal.Write(Encoding.UTF8.GetBytes(table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null)));
        return ExitCodes.Success;
    }

    private static async Task<int> RepairAsync(CliContext context, Arguments arguments, string how, string item)
    {
        using var client = new HoldfastClient(context, arguments);
        JsonElement result = await client
            .SendAsync(
                ApiRequest.Post(
                    $"v1/recovery/{how}",
                    json =>
                    {
                        json.WriteStartObject();
                        json.WriteString("item", item);
                        if (arguments.Text(Reason.Name) is { } reason)
                        {
                            json.WriteString("reason", reason);
                        }

                        json.WriteEndObject();
                    }
                ),
                context.Interruption()
            )
            .ConfigureAwait(false);
        if (arguments.IsJson)
        {
            context.Terminal.WriteLine(result.Line());
        }
        else if (result.Field("attempt") is { ValueKind: JsonValueKind.Object } attempt)
        {
            context.Terminal.WriteLine($"{item}: {attempt.Text("verdict")}. {attempt.Text("reason")}".TrimEnd());
        }

        bool isWhole = true;
        foreach (JsonElement phase in result.Items("phases"))
        {
            isWhole &= phase.Text("problem") is null;
            if (!arguments.IsJson)
            {
                context.Terminal.WriteLine(
                    $"{phase.Text("name")}: {phase.Integer("found")} looked at in {Milliseconds(phase)}. {phase.Text("problem")}".TrimEnd()
                );
            }
        }

        return
            isWhole
            && (
                result.Field("attempt") is not { ValueKind: JsonValueKind.Object } one
                || one.Text("verdict") != "quarantined"
                || how == "quarantine"
            )
            ? ExitCodes.Success
            : ExitCodes.Refused;
    }

    private static string Text(CliContext context, JsonElement report)
    {
        int? width = context.Terminal.IsOutputTerminal ? context.Terminal.Width : null;
        var counts = new List<string>();
        foreach (string verdict in Verdicts)
        {
            if (report.Integer(verdict) is > 0 and var count)
            {
                counts.Add(string.Create(CultureInfo.InvariantCulture, $"{count} {verdict}"));
            }
        }

        long found = report.Integer("found") ?? 0;
        StringBuilder text = new StringBuilder(report.Boolean("complete") == true ? "Recovered in" : "Recovering since")
            .Append(' ')
            .Append(Milliseconds(report))
            .Append(": ")
            .Append(Sentences.Count(found, "open attempt", "open attempts"))
            .Append(counts.Count == 0 ? "" : $" ({string.Join(", ", counts)})")
            .Append(", ")
            .Append(Sentences.Count(report.Integer("queued") ?? 0, "execution", "executions"))
            .Append(" in line\n\n");
        if (report.Items("interrupted").Count is > 0 and var interrupted)
        {
            _ = text.Append("It finished what ")
                .Append(
                    Sentences.Count(interrupted, "start-up before it that was interrupted", "start-ups before it that were interrupted")
                )
                .Append(" had left.\n\n");
        }

        var phases = new TextTable("PHASE", "TIME", "FOUND", "PROBLEM");
        foreach (JsonElement phase in report.Items("phases"))
        {
            phases.Add(
                phase.Text("name"),
                Milliseconds(phase),
                phase.Integer("found")?.ToString(CultureInfo.InvariantCulture),
                phase.Text("problem")
            );
        }

        _ = text.Append(phases.Format(width));
        if (report.Items("attempts") is { Count: > 0 } attempts)
        {
            var table = new TextTable("VERDICT", "WORK", "ATTEMPT", "REASON");
            foreach (JsonElement attempt in attempts)
            {
                table.Add(
                    attempt.Text("verdict"),
                    attempt.Text("executionId") ?? attempt.Text("kernelId"),
                    attempt.Text("attempt"),
                    attempt.Text("reason")
                );
            }

            _ = text.Append('\n').Append(table.Format(width));
        }

        return text.ToString();
    }

    private static string Milliseconds(JsonElement element) =>
        element.Field("milliseconds") is { ValueKind: JsonValueKind.Number } number
            ? string.Create(CultureInfo.InvariantCulture, $"{number.GetDouble():0.#} ms")
            : "-";
}
