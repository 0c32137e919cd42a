namespace Holdfast.Engine.Kernels;

/// <summary>
/// Where a kernel works that was asked for by a path under the root: in that folder, or the nearest one above that exists, as Jupyter has
/// it. Never above the root.
/// </summary>
public static class KernelDirectory
{
    public static string For(string root, string? path)
    {
        root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        string directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath((path ?? "").TrimStart('/'), root));
        while (!IsWithin(directory, root) || !Directory.Exists(directory))
        {
            if (Path.GetDirectoryName(directory) is not { } parent || !IsWithin(parent, root))
            {
                return root;
            }

            directory = parent;
        }

        return directory;
    }

    private static bool IsWithin(string path, string root) =>
        path == root || path.StartsWith(root == "/" ? root : root + '/', StringComparison.Ordinal);
}
