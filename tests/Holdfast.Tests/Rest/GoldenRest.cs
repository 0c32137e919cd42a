namespace Holdfast.Tests.Rest;

/// <summary>The answers of the REST door as files: what scripts out there rely on.</summary>
internal static class GoldenRest
{
    public static string Read(string name) =>
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "rest", name)).TrimEnd('\n');
}
