using System.Text;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Store;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Doctor;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast doctor</c>: what is there, what is not, and what to do about it; with a server or without one.</summary>
internal static class DoctorVerb
{
    /// <summary>The check reads the whole database.</summary>
    private static readonly TimeSpan IntegrityTime = TimeSpan.FromMinutes(10);

    public static Verb Verb =>
        new("doctor", "doctor", "look for what is missing or wrong, and say what to do")
        {
            Notes =
                "Exit code 1 when there is a problem; warnings alone are 0. With an address instead of a data directory it looks at that server only.",
            RunAsync = ExamineAsync,
        };

    private static async Task<int> ExamineAsync(CliContext context, Arguments arguments)
    {
        var findings = new List<Finding>();
        using var client = new HoldfastClient(context, arguments);
        if (client.Locator.IsByDataDirectory)
        {
            findings.Add(MachineChecks.Supervisor(AppContext.BaseDirectory));
            findings.Add(MachineChecks.Sqlite());
            findings.Add(MachineChecks.Zmq());
            findings.AddRange(MachineChecks.Kernels(context.Environment));
            findings.AddRange(DataDirectoryChecks.All(client.Locator.Paths));
            if (JournalChecks.Check(client.Locator.Paths) is { } journals)
            {
                findings.Add(journals);
            }

            findings.Add(CgroupCheck.Check("/"));
            findings.Add(ClockChecks.Check(client.Locator.Paths, context.Time));
            findings.AddRange(LimitChecks.All("/", LocalServer(client)?.Process.Pid));
        }

        if (client.Locator.Locate() is { } address)
        {
            await ExamineServerAsync(client, address, findings, context.Interruption()).ConfigureAwait(false);
            if (address.IsLocal && LocalServer(client) is { } record)
            {
                findings.AddRange(CertificateChecks.All(record, context.Time));
                if (ServiceUnit.Check(record.Process.Pid, context.Environment) is { } unit)
                {
                    findings.Add(unit);
                }
            }
        }
        else
        {
            findings.Add(Finding.Ok("server", $"none runs on {client.Locator.Paths.Root}"));
            findings.AddRange(StoreChecks.WithoutServer(client.Locator.Paths));
            if (client.Locator.IsByDataDirectory && ServiceUnit.CheckInstalled(context.Environment) is { } unit)
            {
                findings.Add(unit);
            }
        }

        context.Terminal.Write(arguments.IsJson ? Json(findings) : Encoding.UTF8.GetBytes(Text(findings)));
        return findings.Exists(f => f.Severity == Severity.Problem) ? ExitCodes.Refused : ExitCodes.Success;
    }

    /// <summary>The one that runs on the data directory, if its process is one that we can see.</summary>
    private static ServerRecord? LocalServer(HoldfastClient client) =>
        ServerRecord.FindLive(client.Locator.Paths) is { } record && record.Process.IsAlive() ? record : null;

    private static async Task ExamineServerAsync(
        HoldfastClient client,
        ServerAddress address,
        List<Finding> findings,
        CancellationToken cancellationToken
    )
    {
        try
        {
            JsonElement ready = await client.GetAsync("healthz", cancellationToken).ConfigureAwait(false);
            string version = ready.Text("version") ?? "unknown";
            findings.Add(
                version == ProductVersion.Current
                    ? Finding.Ok("server", $"{address.Url}, version {version}")
                    : Finding.Warning(
                        "server",
                        $"{address.Url} is version {version}, this is {ProductVersion.Current}",
                        "stop it and start it again with this program; its work goes on meanwhile"
                    )
            );
            findings.Add(ServerChecks.OfRecovery(await client.GetAsync("v1/recovery", cancellationToken).ConfigureAwait(false)));
            findings.AddRange(ServerChecks.OfSupervisors(await client.GetAsync("v1/supervisors", cancellationToken).ConfigureAwait(false)));
            JsonElement integrity = await client
                .SendAsync(ApiRequest.Get("v1/doctor/integrity") with { ServerTime = IntegrityTime }, cancellationToken)
                .ConfigureAwait(false);
            findings.Add(StoreChecks.OfProblems([.. integrity.Items("problems").Select(p => p.GetString() ?? "")]));
        }
        catch (RefusedException refusal)
        {
            string remedy =
                refusal.Code == ErrorCodes.Unauthorized
                    ? "give its token with --token or HOLDFAST_TOKEN"
                    : "look at its log; server.log in the data directory when it was started in the background";
            findings.Add(Finding.Problem("server", $"{refusal.Message} [{refusal.Code}]", remedy));
        }
    }

    private static string Text(List<Finding> findings)
    {
        var text = new StringBuilder();
        foreach (Finding finding in findings)
        {
            string mark = finding.Severity switch
            {
                Severity.Ok => "ok",
                Severity.Warning => "warning",
                _ => "PROBLEM",
            };
            _ = text.Append(mark.PadRight(8))
                .Append(finding.Subject.PadRight(11))
                .Append(TerminalText.Printable(finding.Text))
                .Append('\n');
            if (finding.Remedy is { } remedy)
            {
                _ = text.Append(' ', 19).Append("-> ").Append(remedy).Append('\n');
            }
        }

        int problems = findings.Count(f => f.Severity == Severity.Problem);
        int warnings = findings.Count(f => f.Severity == Severity.Warning);
        return text.Append('\n')
            .Append(
                problems + warnings == 0
                    ? "All is well."
                    : $"{Sentences.Count(problems, "problem", "problems")}, {Sentences.Count(warnings, "warning", "warnings")}."
            )
            .Append('\n')
            .ToString();
    }

    private static byte[] Json(List<Finding> findings)
    {
        byte[] json = JsonFields.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteBoolean("ok", !findings.Exists(f => f.Severity == Severity.Problem));
            writer.WriteStartArray("findings");
            foreach (Finding finding in findings)
            {
                writer.WriteStartObject();
                writer.WriteString(
                    "severity",
                    finding.Severity switch
                    {
                        Severity.Ok => "ok",
                        Severity.Warning => "warning",
                        _ => "problem",
                    }
                );
                writer.WriteString("subject", finding.Subject);
                writer.WriteString("text", finding.Text);
                writer.WriteString("remedy", finding.Remedy);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        });
        return [.. json, (byte)'\n'];
    }
}
