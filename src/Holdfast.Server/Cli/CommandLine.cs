using Holdfast.Engine;
using Holdfast.Engine.Store;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;
using Holdfast.Server.Cli.Verbs;

namespace Holdfast.Server.Cli;

/// <summary>The <c>holdfast</c> program: finds the verb, runs it, and turns however it ends into one line and an exit code.</summary>
public static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        using var interruption = new Interruption();
        return await RunAsync(
                args,
                new CliContext
                {
                    Terminal = new ProcessTerminal(),
                    Environment = Environment.GetEnvironmentVariable,
                    CurrentDirectory = Environment.CurrentDirectory,
                    Time = TimeProvider.System,
                    Executable = Environment.ProcessPath,
                    CalledAs = CalledProgram.Word,
                    Interruption = interruption.Listen,
                }
            )
            .ConfigureAwait(false);
    }

    public static async Task<int> RunAsync(IReadOnlyList<string> args, CliContext context)
    {
        try
        {
            return await DispatchAsync(args, context).ConfigureAwait(false);
        }
        catch (UsageException wrong)
        {
            context.Terminal.WriteErrorLine($"holdfast: {wrong.Message} [{ErrorCodes.InvalidRequest}]");
            return ExitCodes.Usage;
        }
        catch (RefusedException refusal)
        {
            return Refuse(context, refusal.Code, refusal.Message);
        }
        catch (DataDirectoryException refusal)
        {
            return Refuse(context, refusal.Code, refusal.Message);
        }
        catch (StoreException refusal)
        {
            return Refuse(context, refusal.Code, refusal.Message);
        }
        catch (OutputClosedException)
        {
            return ExitCodes.OutputClosed;
        }
        catch (OperationCanceledException) when (context.Interruption().IsCancellationRequested)
        {
            // Begins on a line of its own, behind the ^C that the terminal shows.
            context.Terminal.WriteErrorLine(
                context.ComeBack is { } comeBack ? $"\nholdfast: the work goes on; come back to it with: {comeBack}" : ""
            );
            return ExitCodes.Interrupted;
        }
    }

    private static int Refuse(CliContext context, string code, string sentence)
    {
        context.Terminal.WriteErrorLine($"holdfast: {sentence} [{code}]");
        return code == ErrorCodes.ServerUnreachable ? ExitCodes.ServerUnreachable : ExitCodes.Refused;
    }

    private static async Task<int> DispatchAsync(IReadOnlyList<string> args, CliContext context)
    {
        if (args is ["--version"])
        {
            args = ["version"];
        }

        var arguments = new Arguments();
        int at = ArgumentParser.ReadGlobal(args, arguments);
        if (at == args.Count || args[at] == "help")
        {
            return ShowHelp(
                context,
                at + 1 < args.Count ? args[at + 1] : null,
                isAsked: at < args.Count || arguments.Has(GlobalOptions.Help.Name)
            );
        }

        Verb verb = VerbList.Find(args[at]) ?? throw UnknownVerb(args[at]);
        ArgumentParser.Read(verb, args, at + 1, arguments);
        if (arguments.Has(GlobalOptions.Help.Name))
        {
            context.Terminal.Write(System.Text.Encoding.UTF8.GetBytes(HelpText.Of(verb)));
            return ExitCodes.Success;
        }

        return await verb.RunAsync(context, arguments).ConfigureAwait(false);
    }

    private static int ShowHelp(CliContext context, string? name, bool isAsked)
    {
        if (!isAsked)
        {
            context.Terminal.WriteError(System.Text.Encoding.UTF8.GetBytes(HelpText.Of(VerbList.All)));
            return ExitCodes.Usage;
        }

        string text = name is null ? HelpText.Of(VerbList.All) : HelpText.Of(VerbList.Find(name) ?? throw UnknownVerb(name));
        context.Terminal.Write(System.Text.Encoding.UTF8.GetBytes(text));
        return ExitCodes.Success;
    }

    private static UsageException UnknownVerb(string name)
    {
        string? near = Spelling.Nearest(name, VerbList.All.Select(v => v.Name));
        return new UsageException($"There is no verb '{name}'{(near is null ? "" : $"; perhaps {near}")}. See: holdfast --help");
    }
}
