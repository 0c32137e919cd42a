namespace Holdfast.Protocol;

/// <summary>The product's version as a constant, for a supervisor that starts without reflection. A test holds it to the build's.</summary>
public static class HoldfastVersion
{
    public const string Text = "0.1.0";
}
