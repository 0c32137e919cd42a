using System.Text;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast stdin</c>: gives a running job something to read.</summary>
internal static class StandardInputVerb
{
    private const int PieceSize = 64 * 1024;

    private static readonly Option End = new("--end", "", "close its standard input afterwards");

    public static Verb Verb =>
        new("stdin", "stdin ID [TEXT|-] [--end]", "write a line, or our standard input, to a job with an open stdin")
        {
            Options = [End],
            Operands = (1, 2),
            Notes = "TEXT is sent as a line, with a line feed. - sends what comes on our standard input as it is.",
            RunAsync = SendAsync,
        };

    private static async Task<int> SendAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        bool isEnd = arguments.Has(End.Name);
        string? text = arguments.Operands.Count > 1 ? arguments.Operands[1] : null;
        if (text is null && !isEnd)
        {
            throw new UsageException($"There is nothing to send: give a text, or - for our standard input, or {End.Name}.");
        }

        using var client = new HoldfastClient(context, arguments);
        var sender = new StandardInputSender(client, arguments.Operands[0]);
        if (text != "-")
        {
            await sender
                .SendAllAsync(text is null ? default : Encoding.UTF8.GetBytes(text + "\n"), isEnd, interruption)
                .ConfigureAwait(false);
            return ExitCodes.Success;
        }

        byte[] buffer = new byte[PieceSize];
        for (int count; (count = await context.Terminal.ReadAsync(buffer, interruption).ConfigureAwait(false)) > 0; )
        {
            await sender.SendAllAsync(buffer.AsMemory(0, count), isEnd: false, interruption).ConfigureAwait(false);
        }

        if (isEnd)
        {
            await sender.SendAllAsync(default, isEnd: true, interruption).ConfigureAwait(false);
        }

        return ExitCodes.Success;
    }
}
