using System.Globalization;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary>The options of <c>holdfast serve</c> that are about the life of kernels.</summary>
internal static class KernelServeOptions
{
    private const int RestartsMax = 1000;
    private const int WarmMax = 100;

    private static readonly Option CullIdleTimeout = new(
        "--cull-idle-timeout",
        "TIME",
        "end kernels that were idle for so long (default: never; a kernelspec's metadata.cull_idle_timeout goes first)"
    );
    private static readonly Option CullInterval = new(
        "--cull-interval",
        "TIME",
        "the least time between two looks for idle kernels (default 1s)"
    );
    private static readonly Option CullBusy = new("--cull-busy", "", "also end busy kernels that have said nothing for so long");
    private static readonly Option CullConnected = new("--cull-connected", "", "also end idle kernels that somebody is connected to");
    private static readonly Option Restarts = new(
        "--kernel-restarts",
        "N",
        "how often in five minutes a kernel that died by itself is started again (default 4; 0: never)"
    );
    private static readonly Option Memory = new(
        "--kernel-memory",
        "SIZE",
        "what one kernel's processes may use together, such as 2G (default: no limit; a kernelspec or a request can say otherwise)"
    );
    private static readonly Option Cpus = new(
        "--kernel-cpus",
        "N",
        "how many processors one kernel's processes may use, such as 1.5 (default: no limit; a kernelspec or a request can say otherwise)"
    );
    private static readonly Option Warm = new("--warm-kernels", "NAME=N", "keep N kernels of this kernelspec ready (default: none)")
    {
        IsRepeatable = true,
    };

    public static IReadOnlyList<Option> All { get; } =
    [CullIdleTimeout, CullInterval, CullBusy, CullConnected, Restarts, Memory, Cpus, Warm];

    public static KernelOptions Read(Arguments arguments)
    {
        var options = new KernelOptions();
        return options with
        {
            Restarts = options.Restarts with
            {
                RestartsMax = (int)(arguments.Integer(Restarts.Name, 0, RestartsMax) ?? options.Restarts.RestartsMax),
            },
            Culling = options.Culling with
            {
                IdleTimeout = arguments.Duration(CullIdleTimeout.Name) is { } timeout && timeout > TimeSpan.Zero ? timeout : null,
                Interval = arguments.Duration(CullInterval.Name) ?? options.Culling.Interval,
                IncludesBusy = arguments.Has(CullBusy.Name),
                IncludesConnected = arguments.Has(CullConnected.Name),
            },
            MemoryBytesMax = Sizes.Read(arguments, Memory.Name),
            CpuMillisMax = Processors.Read(arguments, Cpus.Name) is { } cpus ? KernelCpus.ToMillis(cpus) : null,
            Warm = ReadWarm(arguments),
        };
    }

    private static Dictionary<string, int> ReadWarm(Arguments arguments)
    {
        Dictionary<string, int> warm = [];
        foreach (string[] given in arguments.All(Warm.Name))
        {
            (string name, string? count) = Arguments.Pair(Warm.Name, given[0]);
            warm[name] =
                int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= WarmMax
                    ? number
                    : throw new UsageException($"{Warm.Name} takes NAME=N with N from 0 to {WarmMax}, not '{given[0]}'.");
        }

        return warm;
    }
}
