using System.Globalization;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast attach</c>: as if the job ran in this terminal, from its first byte to its exit status.</summary>
internal static class AttachVerb
{
    private const int PieceSize = 16 * 1024;

    private static readonly Option NoStandardInput = new("--no-stdin", "", "only watch: do not forward our standard input");

    /// <summary>What a terminal still shows of a long story: as much as Jupyter's clients are given back of one.</summary>
    private const long ReplayBytesMax = 128 * 1024;

    public static Verb Verb =>
        new("attach", "attach ID [options]", "follow an execution from its first byte; what is typed goes to a job with an open stdin")
        {
            Options = [LogsVerb.Stream, NoStandardInput],
            Operands = (1, 1),
            Notes = """
                The end of our standard input (Ctrl-D) closes the job's. Ctrl-C leaves, and the job goes on.
                A job with a terminal of its own (submit --pty) takes this one: every key is its, also Ctrl-C, and Ctrl-] leaves.
                The exit code is the command's own: see `holdfast wait --help`.
                """,
            RunAsync = AttachAsync,
        };

    private static async Task<int> AttachAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        string id = arguments.Operands[0];
        using var client = new HoldfastClient(context, arguments);
        client.BePatient();
        JsonElement execution = await client.GetAsync($"v1/executions/{Work.Segment(id)}", interruption).ConfigureAwait(false);
        context.ComeBack = $"holdfast attach {id}";
        bool forwards = !execution.HasEnded() && execution.Text("kind") == "job" && !arguments.Has(NoStandardInput.Name);
        AttachedTerminal? terminal =
            forwards
            && execution.Boolean("pty") is true
            && context.Terminal is { IsInputTerminal: true, IsOutputTerminal: true }
            && !arguments.IsJson
                ? new AttachedTerminal(context, client, id)
                : null;
        long start = terminal is null ? 0 : Math.Max(0, (execution.Integer("outputBytes") ?? 0) - ReplayBytesMax);
        var output = new OutputReader(client, context.Time, Work.Segment(id), LogsVerb.StreamOf(arguments), start)
        {
            OnBytes = LogsVerb.Sink(context, arguments),
            OnNotice = notice => context.Terminal.WriteErrorLine($"holdfast: {TerminalText.Printable(notice)}"),
        };

        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(interruption);
        Task forwarding =
            terminal is not null ? terminal.RunAsync(leaving)
            : forwards ? ForwardAsync(context, client, id, leaving.Token)
            : Task.CompletedTask;
        try
        {
            execution = await output.FollowAsync(terminal is null ? interruption : leaving.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (terminal is { IsLeft: true })
        {
            await forwarding.ConfigureAwait(false); // Which puts our terminal right.
            context.Terminal.WriteErrorLine($"holdfast: left; it goes on. Come back with: holdfast attach {id}");
            return ExitCodes.Success;
        }
        finally
        {
            context.ComeBack = FormattableString.Invariant($"holdfast logs {id} -f --offset {output.Offset}");
            await leaving.CancelAsync().ConfigureAwait(false);
            await forwarding.ConfigureAwait(false);
        }

        if (arguments.IsJson)
        {
            LogsVerb.WriteEnd(context, execution);
        }
        else if (ExitCodes.Of(execution) != ExitCodes.Success)
        {
            context.Terminal.WriteErrorLine($"holdfast: {Sentences.Outcome(execution, context.Time)}");
        }

        return ExitCodes.Of(execution);
    }

    private static async Task ForwardAsync(CliContext context, HoldfastClient client, string id, CancellationToken cancellationToken)
    {
        var sender = new StandardInputSender(client, id);
        byte[] buffer = new byte[PieceSize];
        try
        {
            while (true)
            {
                int count = await context.Terminal.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                await sender.SendAllAsync(buffer.AsMemory(0, count), isEnd: count == 0, cancellationToken).ConfigureAwait(false);
                if (count == 0)
                {
                    return;
                }
            }
        }
        catch (RefusedException refusal)
            when (refusal.Code is ErrorCodes.StandardInputClosed or ErrorCodes.IllegalTransition
                && sender.SentBytes == 0
                && !context.Terminal.IsInputTerminal
            )
        {
            // It was never open, and nobody typed anything: an inherited standard input that nobody thinks of.
        }
        catch (RefusedException refusal)
        {
            context.Terminal.WriteErrorLine(
                string.Create(CultureInfo.InvariantCulture, $"holdfast: input is no longer forwarded: {refusal.Message} [{refusal.Code}]")
            );
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // We leave, or the job has ended.
        }
    }
}
