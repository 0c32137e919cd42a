namespace Holdfast.SystemTests.Serving;

/// <summary>Where the published programs lie: as `./dev test` says, else as `./dev build` leaves them.</summary>
internal static class Published
{
    /// <summary>What people run.</summary>
    public static string Release => Find("HOLDFAST_PUBLISH", "holdfast", "./dev build");

    /// <summary>The same with crash points in it.</summary>
    public static string CrashPoints => Find("HOLDFAST_CRASH_PUBLISH", "holdfast-crash", "./dev build --crash");

    private static string Find(string variable, string name, string remedy)
    {
        if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } named)
        {
            return Require(named, $"{variable} names it");
        }

        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Holdfast.slnx")))
            {
                return Require(Path.Combine(folder, "artifacts/publish", name), $"run {remedy}, or ./dev test, which does");
            }
        }

        throw new InvalidOperationException($"These tests need the published programs: set {variable} to their folder, or run {remedy}.");
    }

    private static string Require(string folder, string remark)
    {
        // The real folder, not the link to it: a build during the tests must not change what they restart.
        string real = Directory.ResolveLinkTarget(folder, returnFinalTarget: true)?.FullName ?? folder;
        return File.Exists(Path.Combine(real, "holdfast")) && File.Exists(Path.Combine(real, "holdfast-supervisor"))
            ? real
            : throw new InvalidOperationException($"There are no holdfast and holdfast-supervisor in {folder} ({remark}).");
    }
}
