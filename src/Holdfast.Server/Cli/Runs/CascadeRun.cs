using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Runs;

/// <summary>Begins a cascade of a reactive notebook and shows it to its end: what `run --reactive`, `notebook run-stale` and `notebook resume` have in common.</summary>
internal static class CascadeRun
{
    public static async Task<int> RunAsync(CliContext context, Arguments arguments, string notebook, bool isResume)
    {
        CancellationToken interruption = context.Interruption();
        using HoldfastClient client = await Contact.OpenOrStartAsync(context, arguments, interruption).ConfigureAwait(false);
        string path = client.IsLocal ? Path.GetFullPath(notebook, context.CurrentDirectory) : notebook;
        JsonElement cascade = await client.SendAsync(Request(path, arguments.Text(RunOptions.Kernel.Name), isResume), interruption).ConfigureAwait(false);
        TellExcluded(context, arguments, cascade);
        if (cascade.Text("id") is not { } id)
        {
            context.Terminal.WriteLine(arguments.IsJson ? cascade.Line() : "Nothing is stale that may run.");
            return cascade.Items("excluded").Count == 0 ? ExitCodes.Success : ExitCodes.Refused;
        }

        context.ComeBack = $"holdfast wait {id}";
        if (arguments.Has(RunOptions.Detach.Name))
        {
            context.Terminal.WriteLine(arguments.IsJson ? cascade.Line() : id);
            return ExitCodes.Success;
        }

        client.BePatient();
        JsonElement run = await client.GetAsync($"v1/notebooks/cascades/{Work.Segment(id)}", interruption).ConfigureAwait(false);
        bool isQuiet = arguments.IsJson || arguments.Has(RunOptions.Quiet.Name);
        bool showsOutput = !isQuiet && (context.Terminal.IsOutputTerminal || arguments.Has(RunOptions.Output.Name));
        using RunScreen? screen = isQuiet ? null : new RunScreen(context, linesToError: showsOutput && !context.Terminal.IsOutputTerminal);
        screen?.WriteLine($"cascade {id}");
        run = await new RunFollower(context, client, screen, showsOutput).FollowAsync(run, interruption).ConfigureAwait(false);
        if (arguments.IsJson)
        {
            context.Terminal.WriteLine(run.Line());
        }
        else
        {
            screen?.WriteLine(RunFollower.Summary(run, context.Time));
        }

        int code = ExitCodes.OfRun(run.Text("state"));
        return code == ExitCodes.Success && cascade.Items("excluded").Count > 0 ? ExitCodes.Refused : code;
    }

    public static ApiRequest Request(string path, string? kernel, bool isResume) => ApiRequest.Post("v1/notebooks/cascade", json =>
    {
        json.WriteStartObject();
        json.WriteString("path", path);
        if (kernel is not null)
        {
            json.WriteString("kernel", kernel);
        }

        if (isResume)
        {
            json.WriteBoolean("resume", true);
        }

        json.WriteEndObject();
    });

    /// <summary>On standard error: what is not run because it may not.</summary>
    public static void TellExcluded(CliContext context, Arguments arguments, JsonElement cascade)
    {
        foreach (JsonElement excluded in arguments.IsJson ? [] : cascade.Items("excluded"))
        {
            string cell = excluded.Text("cellId") ?? "";
            string because = excluded.Text("because") ?? "";
            string why = excluded.Text("reason") switch
            {
                "blocked" => "is blocked",
                "disabled" => "is disabled",
                "upstreamDisabled" => $"needs {because}, which is disabled",
                _ => $"needs {because}, which is blocked",
            };
            context.Terminal.WriteError(System.Text.Encoding.UTF8.GetBytes($"holdfast: {cell} does not run: it {why}.\n"));
        }

        if (!arguments.IsJson && cascade.Items("excluded").Any(static e => e.Text("reason") is "blocked" or "upstreamBlocked"))
        {
            context.Terminal.WriteError("holdfast: 'holdfast notebook check' says why cells are blocked.\n"u8.ToArray());
        }
    }
}
