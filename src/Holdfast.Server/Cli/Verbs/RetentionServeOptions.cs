using Holdfast.Engine.Retention;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary>The options of <c>holdfast serve</c> that say how long what is over is kept.</summary>
internal static class RetentionServeOptions
{
    private static readonly Option Executions = new(
        "--keep-executions",
        "TIME",
        "keep executions, runs and kernels that have ended for so long (default 90d; 0: for ever)"
    );
    private static readonly Option Output = new(
        "--keep-output",
        "TIME",
        "keep what they said for so long (default 90d; 0: as long as the execution)"
    );
    private static readonly Option Events = new(
        "--keep-events",
        "TIME",
        "keep the events of the feed for so long (default 30d; 0: for ever)"
    );

    private static readonly Option Compress = new(
        "--compress-after",
        "TIME",
        "compress what they said when it has been over for so long (default 1h; 0: never)"
    );

    public static IReadOnlyList<Option> All { get; } = [Executions, Output, Compress, Events];

    public static RetentionOptions Read(Arguments arguments)
    {
        var options = new RetentionOptions();
        return options with
        {
            Executions = arguments.Duration(Executions.Name) ?? options.Executions,
            Output = arguments.Duration(Output.Name) ?? options.Output,
            CompressAfter = arguments.Duration(Compress.Name) ?? options.CompressAfter,
            Events = arguments.Duration(Events.Name) ?? options.Events,
        };
    }
}
