using System.Reflection;

namespace Holdfast.Engine;

/// <summary>The version of this build, as told by every door and on the link.</summary>
public static class ProductVersion
{
    public static string Current { get; } =
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? "0";
}
