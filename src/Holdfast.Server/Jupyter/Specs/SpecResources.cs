namespace Holdfast.Server.Jupyter.Specs;

/// <summary>
/// The files beside a kernel.json that clients may have: found by listing the folder, never by joining a path that came from outside.
/// </summary>
internal static class SpecResources
{
    /// <summary>Those that a spec's model names, in order.</summary>
    public static IEnumerable<string> Of(string directory) => Names(directory).Where(IsNamed).Order(StringComparer.Ordinal);

    /// <summary>The full path of a file of that folder itself; null when it has none of that name.</summary>
    public static string? Find(string directory, string name) => Names(directory).Contains(name) ? Path.Combine(directory, name) : null;

    public static string ContentType(string file) =>
        Path.GetExtension(file).ToLowerInvariant() switch
        {
            ".png" => "image/png",
            ".svg" => "image/svg+xml",
            ".js" => "application/javascript",
            ".css" => "text/css",
            ".json" => "application/json",
            ".gif" => "image/gif",
            ".jpg" or ".jpeg" => "image/jpeg",
            _ => "application/octet-stream",
        };

    private static bool IsNamed(string file) => file is "kernel.js" or "kernel.css" || file.StartsWith("logo-", StringComparison.Ordinal);

    private static List<string> Names(string directory)
    {
        try
        {
            return Directory.EnumerateFiles(directory).Select(f => Path.GetFileName(f)).ToList();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // Uninstalled since the search.
        }
    }
}
