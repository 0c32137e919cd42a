namespace Holdfast.SystemTests.Clients;

/// <summary>
/// Programs that nobody here wrote, as `eng/setup.sh --tests` installs them. A test that needs one which is not there, nor to be had, is
/// skipped and says so.
/// </summary>
internal static class Outsiders
{
    public const string Python = "/usr/bin/python3";
    private const string PythonPackages = "/usr/lib/python3/dist-packages";
    private const string NodeModules = "artifacts/clients/node_modules";

    /// <summary>A script of these tests, as the build has put it beside them.</summary>
    public static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "Clients", name);

    /// <summary>Where npm has put its packages; scripts find them by NODE_PATH.</summary>
    public static string RequireNode()
    {
        if (OnPath("node") is null)
        {
            Assert.Skip("Node is not installed.");
        }

        return Modules is { } modules && Directory.Exists(Path.Combine(modules, "@jupyterlab/services"))
            ? modules
            : Skip($"@jupyterlab/services is not in {NodeModules}: run eng/setup.sh --tests");
    }

    /// <summary>A module of Debian's python.</summary>
    public static void RequirePython(string module)
    {
        if (!Directory.Exists(Path.Combine(PythonPackages, module)))
        {
            Skip($"python3-{module.Replace('_', '-')} is not installed");
        }
    }

    /// <summary>A program, by its name on PATH.</summary>
    public static string Require(string program) => OnPath(program) ?? Skip($"{program} is not installed");

    /// <summary>The Deno that npm brings; null where it has none.</summary>
    public static string? Deno =>
        Modules is { } modules && Path.Combine(modules, "@deno/linux-x64-glibc/deno") is var deno && File.Exists(deno) ? deno : null;

    public static void RequireDeno() => _ = Deno ?? Skip("npm brought no Deno");

    public static void RequireR()
    {
        if (!Directory.Exists("/usr/lib/R/site-library/IRkernel") && !Directory.Exists("/usr/local/lib/R/site-library/IRkernel"))
        {
            Skip("r-cran-irkernel is not installed");
        }
    }

    private static string? Modules
    {
        get
        {
            for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "Holdfast.slnx")))
                {
                    return Path.Combine(folder, NodeModules);
                }
            }

            return null;
        }
    }

    private static string? OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':')
            .Prepend("/usr/bin")
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);

    private static string Skip(string reason)
    {
        Assert.Skip(reason);
        return "";
    }
}
