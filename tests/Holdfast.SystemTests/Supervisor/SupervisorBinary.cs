namespace Holdfast.SystemTests.Supervisor;

/// <summary>The supervisor under test: the one HOLDFAST_SUPERVISOR names, else the one that was built beside these tests.</summary>
public static class SupervisorBinary
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("HOLDFAST_SUPERVISOR") is { Length: > 0 } named)
        {
            return named;
        }

        // artifacts/bin/Holdfast.SystemTests/debug -> artifacts/bin/Holdfast.Supervisor/debug
        string own = AppContext.BaseDirectory.TrimEnd('/');
        string configuration = System.IO.Path.GetFileName(own);
        return System.IO.Path.GetFullPath(System.IO.Path.Combine(own, "../../Holdfast.Supervisor", configuration, "holdfast-supervisor"));
    }
}
