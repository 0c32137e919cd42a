using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>cancel</c>, <c>pause</c>, <c>resume</c> and <c>retry</c>: the commands that an execution takes.</summary>
internal static class ControlVerb
{
    /// <summary>
    /// So that those whom one sync of the store could serve do not wait for one each: thousands of ids are given at once.
    /// </summary>
    private const int InFlightMax = 32;

    public static Verb Cancel => Of("cancel", "end executions, or all of a notebook run that has not ended; waiting ones never start");

    public static Verb Pause => Of("pause", "stop jobs with all their children, until `resume`");

    public static Verb Resume => Of("resume", "let paused jobs go on");

    public static Verb Retry => Of("retry", "run ended executions again, as a new attempt of the same one");

    private static Verb Of(string name, string summary) =>
        new(name, $"{name} ID...", summary)
        {
            Operands = (1, null),
            Notes = "Every id is tried; the exit code is 1 if any was refused.",
            RunAsync = (context, arguments) => CommandAllAsync(context, arguments, name),
        };

    private static async Task<int> CommandAllAsync(CliContext context, Arguments arguments, string command)
    {
        CancellationToken interruption = context.Interruption();
        using var client = new HoldfastClient(context, arguments);
        int exitCode = ExitCodes.Success;

        // A retry takes its place in the line when it is asked for: those of one command in their order.
        int inFlightMax = command == "retry" ? 1 : InFlightMax;
        var underWay = new Queue<Task<List<JsonElement>>>();
        for (int next = 0; next < arguments.Operands.Count || underWay.Count > 0; )
        {
            while (next < arguments.Operands.Count && underWay.Count < inFlightMax)
            {
                underWay.Enqueue(CommandAsync(client, arguments.Operands[next++], command, interruption));
            }

            try
            {
                foreach (JsonElement execution in await underWay.Dequeue().ConfigureAwait(false))
                {
                    context.Terminal.WriteLine(
                        arguments.IsJson ? execution.Line() : $"{execution.Text("id")} {Sentences.State(execution)}"
                    );
                }
            }
            catch (RefusedException refusal) when (refusal.Code != ErrorCodes.ServerUnreachable)
            {
                context.Terminal.WriteErrorLine($"holdfast: {refusal.Message} [{refusal.Code}]");
                exitCode = ExitCodes.Refused;
            }
        }

        return exitCode;
    }

    private static async Task<List<JsonElement>> CommandAsync(
        HoldfastClient client,
        string id,
        string command,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return [await PostAsync(client, id, command, cancellationToken).ConfigureAwait(false)];
        }
        catch (RefusedException refusal) when (refusal.Code == ErrorCodes.ExecutionNotFound && command == "cancel")
        {
            Work work = await Work.GetAsync(client, id, cancellationToken).ConfigureAwait(false);
            return await CancelRunAsync(client, work.Answer, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>From the last cell to the first, so that no cell starts because the one before it ended.</summary>
    private static async Task<List<JsonElement>> CancelRunAsync(HoldfastClient client, JsonElement run, CancellationToken cancellationToken)
    {
        var cancelled = new List<JsonElement>();
        foreach (JsonElement cell in run.Items("cells").Reverse())
        {
            if (!cell.HasEnded() && cell.Text("executionId") is { } executionId)
            {
                try
                {
                    cancelled.Add(await PostAsync(client, executionId, "cancel", cancellationToken).ConfigureAwait(false));
                }
                catch (RefusedException refusal) when (refusal.Code == ErrorCodes.IllegalTransition)
                {
                    // It ended while we came to it.
                }
            }
        }

        return cancelled;
    }

    // Said twice, cancel, pause and resume do no more than said once; a retry would be a second one.
    private static Task<JsonElement> PostAsync(HoldfastClient client, string id, string command, CancellationToken cancellationToken) =>
        client.SendAsync(
            ApiRequest.Post($"v1/executions/{Work.Segment(id)}/{command}") with
            {
                IsRepeatable = command != "retry",
            },
            cancellationToken
        );
}
