using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast kernels</c>: those that run, and the commands they take.</summary>
internal static class KernelsVerb
{
    private static readonly Option WorkingDirectory = new("--cwd", "DIR", "for start: the kernel's working directory");

    private static readonly Option Variable = new("--env", "NAME=VALUE", "for start: a variable of the kernel's environment")
    {
        IsRepeatable = true,
        Short = "-e",
    };
    private static readonly Option Memory = new("--memory", "SIZE", "for start: what its processes may use together, such as 2G");
    private static readonly Option Cpus = new("--cpus", "N", "for start: how many processors its processes may use together, such as 1.5");
    private static readonly Option NoRestart = new("--no-restart", "", "for start: do not start it again when it dies by itself");
    private static readonly Option All = new("--all", "", "for ls: also those that were stopped");
    private static readonly Option Warm = new("--warm", "", "for ls: also those that are kept ready and are nobody's yet");

    /// <summary>A kernel may take its time to die or to come up; the server bounds it.</summary>
    private static readonly TimeSpan ServerTime = TimeSpan.FromMinutes(2);

    public static Verb Verb =>
        new(
            "kernels",
            "kernels [ls | start [NAME] | stop ID... | restart ID... | interrupt ID... | input ID TEXT | comms ID]",
            "list kernels, or start, stop, restart, interrupt and answer them"
        )
        {
            Options = [WorkingDirectory, Variable, Memory, Cpus, NoRestart, All, Warm],
            Operands = (0, null),
            Notes = """
                start takes a kernelspec's name (default python3) and prints the id. `holdfast doctor` lists the kernelspecs. input answers what a kernel
                asks its user; ls says which do. comms lists what is open between a kernel and its clients; --json has the state of widgets.
                """,
            RunAsync = RunAsync,
        };

    private static async Task<int> RunAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        string command = arguments.Operands.Count > 0 ? arguments.Operands[0] : "ls";
        string[] operands = [.. arguments.Operands.Skip(1)];
        using var client = new HoldfastClient(context, arguments);
        switch (command)
        {
            case "ls" when operands.Length == 0:
                JsonElement list = await client
                    .GetAsync(arguments.Has(Warm.Name) ? "v1/kernels?usage=true&warm=true" : "v1/kernels?usage=true", interruption)
                    .ConfigureAwait(false);
                context.Terminal.Write(
                    Encoding.UTF8.GetBytes(arguments.IsJson ? list.Line() + "\n" : Table(context, list, arguments.Has(All.Name)))
                );
                return ExitCodes.Success;
            case "start" when operands.Length <= 1:
                JsonElement kernel = await StartAsync(context, arguments, client, operands.FirstOrDefault(), interruption)
                    .ConfigureAwait(false);
                context.Terminal.WriteLine(arguments.IsJson ? kernel.Line() : kernel.Text("id") ?? "");
                return ExitCodes.Success;
            case "stop" or "restart" or "interrupt" when operands.Length > 0:
                return await CommandAllAsync(context, arguments, client, command, operands, interruption).ConfigureAwait(false);
            case "input" when operands.Length == 2:
                JsonElement answered = await client.SendAsync(Answer(operands[0], operands[1]), interruption).ConfigureAwait(false);
                context.Terminal.WriteLine(arguments.IsJson ? answered.Line() : $"answered: {answered.Text("prompt")}");
                return ExitCodes.Success;
            case "comms" when operands.Length == 1:
                JsonElement comms = await client
                    .GetAsync($"v1/kernels/{Work.Segment(operands[0])}/comms", interruption)
                    .ConfigureAwait(false);
                context.Terminal.Write(Encoding.UTF8.GetBytes(arguments.IsJson ? comms.Line() + "\n" : CommTable(context, comms)));
                return ExitCodes.Success;
            default:
                throw new UsageException(
                    "kernels takes ls, start [NAME], stop ID..., restart ID..., interrupt ID..., input ID TEXT or comms ID."
                );
        }
    }

    private static Task<JsonElement> StartAsync(
        CliContext context,
        Arguments arguments,
        HoldfastClient client,
        string? name,
        CancellationToken cancellationToken
    )
    {
        string? directory = arguments.Text(WorkingDirectory.Name);
        bool isLocal = client.IsLocal;
        ApiRequest request = ApiRequest.Post(
            "v1/kernels",
            json =>
            {
                json.WriteStartObject();
                if (name is not null)
                {
                    json.WriteString("name", name);
                }

                if (directory is not null || isLocal)
                {
                    json.WriteString("cwd", isLocal ? Path.GetFullPath(directory ?? ".", context.CurrentDirectory) : directory);
                }

                WriteRest(json, arguments);
                json.WriteEndObject();
            }
        );
        return client.SendAsync(request with { ServerTime = ServerTime }, cancellationToken);
    }

    private static void WriteRest(Utf8JsonWriter json, Arguments arguments)
    {
        if (arguments.Has(Variable.Name))
        {
            json.WriteStartObject("env");
            foreach (string[] given in arguments.All(Variable.Name))
            {
                (string name, string? value) = Arguments.Pair(Variable.Name, given[0]);
                json.WriteString(name, value ?? throw new UsageException($"{Variable.Name} takes NAME=VALUE, not '{given[0]}'."));
            }

            json.WriteEndObject();
        }

        (long? bytes, double? cpus) = (Sizes.Read(arguments, Memory.Name), Processors.Read(arguments, Cpus.Name));
        if (bytes is not null || cpus is not null)
        {
            json.WriteStartObject("limits");
            if (bytes is { } memory)
            {
                json.WriteNumber("memoryBytes", memory);
            }

            if (cpus is { } number)
            {
                json.WriteNumber("cpus", number);
            }

            json.WriteEndObject();
        }

        if (arguments.Has(NoRestart.Name))
        {
            json.WriteBoolean("autoRestart", false);
        }
    }

    private static ApiRequest Answer(string id, string text) =>
        ApiRequest.Post(
            $"v1/kernels/{Work.Segment(id)}/input",
            json =>
            {
                json.WriteStartObject();
                json.WriteString("value", text);
                json.WriteEndObject();
            }
        );

    private static async Task<int> CommandAllAsync(
        CliContext context,
        Arguments arguments,
        HoldfastClient client,
        string command,
        string[] ids,
        CancellationToken cancellationToken
    )
    {
        int exitCode = ExitCodes.Success;
        foreach (string id in ids)
        {
            string path = $"v1/kernels/{Work.Segment(id)}";
            ApiRequest request =
                command == "stop"
                    ? new ApiRequest(HttpMethod.Delete, path) { IsRepeatable = true }
                    : new ApiRequest(HttpMethod.Post, $"{path}/{command}");
            try
            {
                JsonElement kernel = await client
                    .SendAsync(request with { ServerTime = ServerTime }, cancellationToken)
                    .ConfigureAwait(false);
                context.Terminal.WriteLine(arguments.IsJson ? kernel.Line() : $"{kernel.Text("id")} {kernel.Text("state")}");
            }
            catch (RefusedException refusal) when (refusal.Code != ErrorCodes.ServerUnreachable)
            {
                context.Terminal.WriteErrorLine($"holdfast: {refusal.Message} [{refusal.Code}]");
                exitCode = ExitCodes.Refused;
            }
        }

        return exitCode;
    }

    private static string Table(CliContext context, JsonElement list, bool withStopped)
    {
        var table = new TextTable("ID", "NAME", "STATE", "DOING", "PID", "MEM", "CPU", "AGE", "ACTIVE", "CWD");
        foreach (JsonElement kernel in list.Items("kernels").Where(kernel => withStopped || kernel.Text("state") != "stopped"))
        {
            string? doing =
                kernel.Boolean("responsive") == false && kernel.Text("state") == "running"
                    ? "not responding"
                    : kernel.Text("executionState");
            doing = kernel.TryGetProperty("pendingInput", out _) ? "asks" : doing;
            table.Add(
                kernel.Text("id"),
                kernel.Text("name"),
                kernel.Text("state"),
                doing,
                kernel.Integer("pid")?.ToString(CultureInfo.InvariantCulture),
                kernel.Integer("memoryBytes") is { } memory ? Sizes.Format(memory) : null,
                Percent(kernel),
                Ages.SinceText(kernel, "createdAt", context.Time),
                Ages.SinceText(kernel, "lastActivity", context.Time),
                kernel.Text("reason") ?? Place(kernel)
            );
        }

        return table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null);
    }

    private static string CommTable(CliContext context, JsonElement list)
    {
        var table = new TextTable("ID", "TARGET", "MODEL", "MESSAGES", "AGE", "CHANGED");
        foreach (JsonElement comm in list.Items("comms"))
        {
            table.Add(
                comm.Text("id"),
                comm.Text("targetName"),
                comm.Field("state")?.Text("_model_name"),
                comm.Integer("messages")?.ToString(CultureInfo.InvariantCulture),
                Ages.SinceText(comm, "openedAt", context.Time),
                Ages.SinceText(comm, "changedAt", context.Time)
            );
        }

        return table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null);
    }

    /// <summary>Where it works; and, of one that came back, what it had died of.</summary>
    private static string? Place(JsonElement kernel) =>
        kernel.Field("lastDeath")?.Text("reason") is { } death ? $"{kernel.Text("cwd")} (started again: {death})" : kernel.Text("cwd");

    private static string? Percent(JsonElement kernel) =>
        kernel.TryGetProperty("cpuPercent", out JsonElement percent) && percent.ValueKind == JsonValueKind.Number
            ? string.Create(CultureInfo.InvariantCulture, $"{percent.GetDouble():0}%")
            : null;
}
