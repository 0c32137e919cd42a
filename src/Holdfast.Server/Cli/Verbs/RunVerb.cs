using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Runs;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast run</c>: a notebook's cells, shown as they go.</summary>
internal static class RunVerb
{
    public static Verb Verb =>
        new("run", "run NOTEBOOK [options]", "run a notebook's cells in order; the outputs are written into the file")
        {
            Options = RunOptions.All,
            Operands = (1, 1),
            Notes = """
                Exit codes: 0 every cell succeeded; 1 a cell failed or was cancelled; 75 one was lost, with its kernel or nobody knows how; 130 Ctrl-C, and the run goes on.
                The server may be killed and started again meanwhile: the run goes on in its kernel, and this finds it again.
                """,
            RunAsync = RunAsync,
        };

    private static async Task<int> RunAsync(CliContext context, Arguments arguments)
    {
        if (arguments.Has(RunOptions.Reactive.Name))
        {
            if (
                RunOptions.All.FirstOrDefault(o =>
                    o != RunOptions.Reactive && o != RunOptions.Resume && !RunOptions.OfCascade.Contains(o) && arguments.Has(o.Name)
                ) is
                { } other
            )
            {
                throw new UsageException(
                    $"{RunOptions.Reactive.Name} runs what is stale, in the order of its names: {other.Name} has no meaning with it."
                );
            }

            return await CascadeRun
                .RunAsync(context, arguments, arguments.Operands[0], arguments.Has(RunOptions.Resume.Name))
                .ConfigureAwait(false);
        }

        CancellationToken interruption = context.Interruption();

        // Read before a server is started for it: a mistake in the command line should leave nothing behind.
        string path = arguments.Operands[0];
        _ = RunBody.Of(context, arguments, path);
        using HoldfastClient client = await Contact.OpenOrStartAsync(context, arguments, interruption).ConfigureAwait(false);
        string sent = client.IsLocal ? Path.GetFullPath(path, context.CurrentDirectory) : path;
        JsonElement run = await client
            .SendAsync(
                new ApiRequest(HttpMethod.Post, "v1/notebooks/run")
                {
                    Body = RunBody.Of(context, arguments, sent),
                    IdempotencyKey = Guid.NewGuid().ToString(),
                    IsRepeatable = true,
                },
                interruption
            )
            .ConfigureAwait(false);
        string id = run.Text("id") ?? throw new RefusedException(ErrorCodes.InternalError, "The server answered without an id.");
        context.ComeBack = $"holdfast wait {id}";
        if (arguments.Has(RunOptions.Detach.Name))
        {
            context.Terminal.WriteLine(arguments.IsJson ? run.Line() : id);
            return ExitCodes.Success;
        }

        client.BePatient();
        run = await FollowAsync(context, arguments, client, run, interruption).ConfigureAwait(false);
        return ExitCodes.OfRun(run.Text("state"));
    }

    private static async Task<JsonElement> FollowAsync(
        CliContext context,
        Arguments arguments,
        HoldfastClient client,
        JsonElement run,
        CancellationToken cancellationToken
    )
    {
        bool isQuiet = arguments.IsJson || arguments.Has(RunOptions.Quiet.Name);
        bool showsOutput = !isQuiet && (context.Terminal.IsOutputTerminal || arguments.Has(RunOptions.Output.Name));

        // Output that goes into a file or a pipe is the cells' alone; the progress then has only standard error.
        using RunScreen? screen = isQuiet ? null : new RunScreen(context, linesToError: showsOutput && !context.Terminal.IsOutputTerminal);
        screen?.WriteLine($"run {run.Text("id")}");
        run = await new RunFollower(context, client, screen, showsOutput).FollowAsync(run, cancellationToken).ConfigureAwait(false);
        if (arguments.IsJson)
        {
            context.Terminal.WriteLine(run.Line());
        }
        else
        {
            screen?.WriteLine(RunFollower.Summary(run, context.Time));
        }

        return run;
    }
}
