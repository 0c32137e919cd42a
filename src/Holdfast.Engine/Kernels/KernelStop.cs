namespace Holdfast.Engine.Kernels;

/// <summary>The cause that goes into the exit record of a kernel that was ended on request, so that nobody later calls it a death.</summary>
internal static class KernelStop
{
    public const string Cause = "stopped";
}
