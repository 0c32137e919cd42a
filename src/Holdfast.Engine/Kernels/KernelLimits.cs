namespace Holdfast.Engine.Kernels;

/// <summary>The bounds on what is read from kernels.</summary>
internal static class KernelLimits
{
    /// <summary>A message past this is not put together in memory: the journal has it whole, a notebook could not hold it.</summary>
    public const int MessageBytesMax = 1 << 30;
}
