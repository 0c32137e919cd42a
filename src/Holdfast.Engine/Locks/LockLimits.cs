namespace Holdfast.Engine.Locks;

/// <summary>What one request may ask for.</summary>
internal static class LockLimits
{
    public const int LocksMax = 64;

    /// <summary>In UTF-16 units. Any characters are allowed.</summary>
    public const int NameLengthMax = 512;

    public const int ReasonLengthMax = 2000;
}
