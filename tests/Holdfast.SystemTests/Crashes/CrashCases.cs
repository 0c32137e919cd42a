using Holdfast.Protocol;

namespace Holdfast.SystemTests.Crashes;

/// <summary>The scenarios as theory data, and the rule that there is one for each point.</summary>
public sealed class CrashCases
{
    [Fact]
    public void Every_crash_point_has_a_scenario() =>
        Assert.Empty(Enum.GetValues<CrashPoint>().Except([CrashPoint.None]).Except(CrashScenario.All.Select(static s => s.Point)));

    internal static TheoryData<CrashPoint, int, Loss> Of(CrashStory story, bool isServer)
    {
        var cases = new TheoryData<CrashPoint, int, Loss>();
        foreach (CrashScenario scenario in CrashScenario.All.Where(s => s.Story == story && IsServers(s.Point) == isServer))
        {
            cases.Add(scenario.Point, scenario.Arrival, scenario.Loss);
        }

        return cases;
    }

    private static bool IsServers(CrashPoint point) => point.ToString().StartsWith("Server", StringComparison.Ordinal);
}
