using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Graphs;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Runs;

/// <summary>
/// Begins a cascade of a reactive notebook and shows it to its end: what `run --reactive`, `notebook run-stale` and `notebook resume` have
/// in common.
/// </summary>
internal static class CascadeRun
{
    /// <summary>A cycle may block ten thousand cells, and nobody reads so many lines.</summary>
    private const int ShownMax = 20;

    public static async Task<int> RunAsync(CliContext context, Arguments arguments, string notebook, bool isResume)
    {
        CancellationToken interruption = context.Interruption();
        using HoldfastClient client = await Contact.OpenOrStartAsync(context, arguments, interruption).ConfigureAwait(false);
        string path = client.IsLocal ? Path.GetFullPath(notebook, context.CurrentDirectory) : notebook;
        JsonElement cascade = await client
            .SendAsync(Request(path, arguments.Text(RunOptions.Kernel.Name), isResume), interruption)
            .ConfigureAwait(false);
        await TellExcludedAsync(context, arguments, client, path, cascade, interruption).ConfigureAwait(false);
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

    public static ApiRequest Request(string path, string? kernel, bool isResume) =>
        ApiRequest.Post(
            "v1/notebooks/cascade",
            json =>
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
            }
        );

    /// <summary>
    /// On standard error: what is not run because it may not, and why cells are blocked, in the words of `notebook check`.
    /// </summary>
    public static async Task TellExcludedAsync(
        CliContext context,
        Arguments arguments,
        HoldfastClient client,
        string path,
        JsonElement cascade,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<JsonElement> all = arguments.IsJson ? [] : cascade.Items("excluded");
        foreach (JsonElement excluded in all.Take(ShownMax))
        {
            string because = excluded.Text("because") ?? "";
            TellError(
                context,
                $"{excluded.Text("cellId")} does not run: it "
                    + excluded.Text("reason") switch
                    {
                        "blocked" => "is blocked.",
                        "disabled" => "is disabled.",
                        "upstreamDisabled" => $"needs {because}, which is disabled.",
                        _ => $"needs {because}, which is blocked.",
                    }
            );
        }

        if (all.Count > ShownMax)
        {
            TellError(context, $"{Sentences.Count(all.Count - ShownMax, "more cell does", "more cells do")} not run.");
        }

        if (all.Any(static e => e.Text("reason") is "blocked" or "upstreamBlocked"))
        {
            JsonElement graph = await client
                .GetAsync($"v1/notebooks/graph?path={Uri.EscapeDataString(path)}", cancellationToken)
                .ConfigureAwait(false);
            GraphFindings.Errors(graph).ForEach(error => TellError(context, error));
        }
    }

    private static void TellError(CliContext context, string sentence) =>
        context.Terminal.WriteError(Encoding.UTF8.GetBytes($"holdfast: {TerminalText.Printable(sentence)}\n"));
}
