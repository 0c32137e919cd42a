using Holdfast.Engine.Assets;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary>The options of <c>holdfast serve</c> that are about large outputs.</summary>
internal static class AssetServeOptions
{
    private static readonly Option Inline = new(
        "--inline-output",
        "SIZE",
        "keep an output that is larger outside of the notebook, as an asset (default 16M; 0: never)"
    );
    private static readonly Option Lease = new(
        "--asset-lease",
        "TIME",
        "keep an asset that nothing refers to for so long after its last use (default 24h)"
    );
    private static readonly Option Quota = new(
        "--asset-quota",
        "SIZE",
        "refuse uploads and notebook runs when assets take as much (default 0: no limit)"
    );

    public static IReadOnlyList<Option> All { get; } = [Inline, Lease, Quota];

    public static AssetOptions Read(Arguments arguments)
    {
        var options = new AssetOptions();
        return options with
        {
            InlineBytesMax = Size(arguments, Inline) ?? options.InlineBytesMax,
            Lease = arguments.Duration(Lease.Name) ?? options.Lease,
            QuotaBytes = Size(arguments, Quota) ?? options.QuotaBytes,
        };
    }

    private static long? Size(Arguments arguments, Option option) =>
        arguments.Text(option.Name) == "0" ? 0 : Sizes.Read(arguments, option.Name);
}
