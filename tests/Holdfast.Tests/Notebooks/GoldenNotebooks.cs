namespace Holdfast.Tests.Notebooks;

/// <summary>The notebooks under Golden/notebooks. README there says who wrote each.</summary>
internal static class GoldenNotebooks
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Golden", "notebooks");

    public static string PathOf(string name) => Path.Combine(Folder, name);

    public static byte[] Bytes(string name) => File.ReadAllBytes(PathOf(name));
}
