using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast wait</c>: until all the given work has ended, with its exit status.</summary>
internal static class WaitVerb
{
    private static readonly Option Timeout = new("--timeout", "TIME", "stop waiting after so long (exit code 124): 90, 10m, 1h30m");

    public static Verb Verb =>
        new("wait", "wait ID... [--timeout TIME]", "wait for executions or notebook runs to end; end with their exit status")
        {
            Options = [Timeout],
            Operands = (1, null),
            Notes = """
                Exit codes: the command's own; 128 + N when signal N ended it; 127 when the command was not found; for cells and notebook runs
                0 or 1; 75 when nobody knows how it ended (lost); 1 when it was cancelled before it had one; 124 when --timeout is up and the work
                goes on. Of several, the first in the order given that is not 0.
                """,
            RunAsync = WaitAsync,
        };

    /// <summary>
    /// Says how it ended: on standard output in JSON, else on standard error for a single piece of work, whose caller asked for its status.
    /// </summary>
    public static void Report(CliContext context, Arguments arguments, Work work, bool isNamed)
    {
        if (arguments.IsJson)
        {
            context.Terminal.WriteLine(work.Answer.Line());
        }
        else if (isNamed)
        {
            context.Terminal.WriteLine($"{work.Id} {Sentences.Outcome(work.Answer, context.Time)}");
        }
        else if (work.ExitCode != ExitCodes.Success)
        {
            context.Terminal.WriteErrorLine($"holdfast: {Sentences.Outcome(work.Answer, context.Time)}");
        }
    }

    private static async Task<int> WaitAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        using CancellationTokenSource deadline = arguments.Duration(Timeout.Name) is { } timeout
            ? new CancellationTokenSource(timeout, context.Time)
            : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(interruption, deadline.Token);
        using var client = new HoldfastClient(context, arguments);
        client.BePatient();
        context.ComeBack = $"holdfast wait {string.Join(' ', arguments.Operands)}";
        int exitCode = ExitCodes.Success;
        try
        {
            foreach (string id in arguments.Operands)
            {
                Work work = await Work.GetAsync(client, id, either.Token).ConfigureAwait(false);
                work = await work.WaitAsync(client, either.Token).ConfigureAwait(false);
                Report(context, arguments, work, isNamed: true);
                exitCode = exitCode == ExitCodes.Success ? work.ExitCode : exitCode;
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !interruption.IsCancellationRequested)
        {
            context.Terminal.WriteErrorLine("holdfast: the time is up; the work goes on");
            return ExitCodes.WaitTimedOut;
        }

        return exitCode;
    }
}
