namespace Holdfast.Server.Jupyter;

/// <summary>Which paths are Jupyter's, and so answer errors as Jupyter's clients read them.</summary>
internal static class JupyterPaths
{
    private static readonly PathString[] Roots =
    [
        "/api",
        "/kernelspecs",
        "/files",
        "/nbconvert",
        "/terminals",
        "/lab",
        "/doc",
        "/login",
        "/logout",
        "/tree",
    ];

    public static bool Has(PathString path) => Array.Exists(Roots, root => path.StartsWithSegments(root, StringComparison.Ordinal));
}
