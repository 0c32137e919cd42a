using System.Globalization;
using Holdfast.Engine.Kernels.Life;

namespace Holdfast.Server.Cli.Syntax;

/// <summary>Reads how many processors something may use: a number such as 1.5.</summary>
internal static class Processors
{
    public static double? Read(Arguments arguments, string option) =>
        arguments.Text(option) is not { } text ? null
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double cpus)
        && KernelCpus.ToMillis(cpus) is not null
            ? cpus
        : throw new UsageException($"{option} takes a number of processors from {KernelCpus.Min} to {KernelCpus.Max}, not '{text}'.");
}
