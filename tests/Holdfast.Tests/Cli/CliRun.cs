using Holdfast.Server.Cli;

namespace Holdfast.Tests.Cli;

/// <summary>
/// Runs the command line in this process, with a world of its own: no variables but those given, and a data directory that does not exist.
/// </summary>
internal sealed class CliRun
{
    public FakeTerminal Terminal { get; init; } = new();

    public Dictionary<string, string> Variables { get; } = new() { ["HOLDFAST_DATA"] = "/nonexistent/holdfast", ["HOME"] = "/nonexistent" };

    public CancellationTokenSource CtrlC { get; } = new();

    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(1);

    public string CurrentDirectory { get; init; } = "/";

    public Task<int> RunAsync(params string[] args) =>
        CommandLine.RunAsync(
            args,
            new CliContext
            {
                Terminal = Terminal,
                Environment = Variables.GetValueOrDefault,
                CurrentDirectory = CurrentDirectory,
                Time = TimeProvider.System,
                Patience = Patience,
                Interruption = () => CtrlC.Token,
            }
        );

    public Task<int> RunAsync(ScriptedServer server, params string[] args)
    {
        Variables["HOLDFAST_URL"] = server.Url;
        return RunAsync(args);
    }

    public static string Execution(string id, string state, string more = "") =>
        $$"""{"id":"{{id}}","kind":"job","state":"{{state}}"{{more}}}""";
}
