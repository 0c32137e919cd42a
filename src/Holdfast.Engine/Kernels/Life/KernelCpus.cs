namespace Holdfast.Engine.Kernels.Life;

/// <summary>A limit on processors: people give a number of them, such as 1.5; kept are thousandths.</summary>
public static class KernelCpus
{
    public const double Min = 0.01;
    public const double Max = 8192;

    /// <summary>Null for what is no limit that a system could hold.</summary>
    public static long? ToMillis(double cpus) => cpus is >= Min and <= Max ? (long)Math.Round(cpus * 1000) : null;

    public static double FromMillis(long millis) => millis / 1000.0;
}
