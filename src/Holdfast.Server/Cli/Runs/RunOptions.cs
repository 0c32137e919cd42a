using Holdfast.Server.Cli.Syntax;
using Holdfast.Server.Cli.Verbs;

namespace Holdfast.Server.Cli.Runs;

/// <summary>The options of <c>holdfast run</c>.</summary>
internal static class RunOptions
{
    public static readonly Option Parameter = new(
        "--parameter",
        "NAME VALUE",
        "a parameter; numbers, True, False and None are what they look like"
    )
    {
        Short = "-p",
        IsRepeatable = true,
    };
    public static readonly Option TextParameter = new("--text-parameter", "NAME VALUE", "a parameter that is text, whatever it looks like")
    {
        Short = "-r",
        IsRepeatable = true,
    };
    public static readonly Option Parameters = new("--parameters", "FILE|JSON", "parameters: a JSON object, or a file that holds one");
    public static readonly Option Kernel = new(
        "--kernel",
        "NAME|ID",
        "the kernelspec to start, or the kernel to run in (default: the notebook's own)"
    );
    public static readonly Option Cells = new("--cells", "LIST", "only these cells: 0,3,7 or their ids");
    public static readonly Option From = new("--from", "CELL", "from this cell on: its index, its id, or `failed`");
    public static readonly Option Resume = new("--resume", "", "from the cell that failed, in the same kernel (= --from failed)");
    public static readonly Option KeepGoing = new("--keep-going", "", "go on after a cell that failed");
    public static readonly Option Detach = new("--detach", "", "print the run's id and leave");
    public static readonly Option Output = new("--output", "", "print what the cells print (in a terminal it is printed anyway)");
    public static readonly Option Quiet = new("--quiet", "", "print neither the cells' output nor their progress") { Short = "-q" };

    public static readonly Option Reactive = new(
        "--reactive",
        "",
        "by what cells need of one another: everything stale runs, and an error stops only what needs it"
    );

    public static readonly Option[] All =
    [
        Parameter,
        TextParameter,
        Parameters,
        Kernel,
        Cells,
        From,
        Resume,
        KeepGoing,
        Reactive,
        .. CallbackSubmitOptions.All,
        Detach,
        Output,
        Quiet,
    ];

    /// <summary>What a cascade takes of them.</summary>
    public static readonly Option[] OfCascade = [Kernel, Detach, Output, Quiet];
}
