namespace Holdfast.Protocol.Link;

/// <summary>What a supervisor says at hello that it can do. Never renamed.</summary>
public static class LinkCapabilities
{
    public const string Kernel = "kernel";

    /// <summary>It knows <c>after</c> of execute, and <c>end</c> of dequeue.</summary>
    public const string After = "after";

    /// <summary>It reads packed segments: those of its journal that are closed may be packed while it runs.</summary>
    public const string Packed = "packed";
}
