using System.Text.Json;

namespace Holdfast.Server.Cli.Doctor;

/// <summary>What a server that runs tells of itself: what its start-up could not put right, and supervisors that do not answer.</summary>
internal static class ServerChecks
{
    public static Finding OfRecovery(JsonElement report)
    {
        string[] problems =
        [
            .. report.Items("phases").Where(p => p.Text("problem") is not null).Select(p => $"{p.Text("name")}: {p.Text("problem")}"),
        ];
        return problems.Length == 0
            ? Finding.Ok("recovery", "the last start-up put everything in order")
            : Finding.Problem("recovery", string.Join("; ", problems), "see `holdfast recovery` for what is concerned");
    }

    public static IEnumerable<Finding> OfSupervisors(JsonElement answer)
    {
        IReadOnlyList<JsonElement> all = answer.Items("supervisors");
        foreach (JsonElement one in all.Where(s => s.Text("liveness") is "stale" or "dead" || s.Text("stallReason") is not null))
        {
            string of = one.Text("executionId") ?? one.Text("kernelId") ?? "?";
            yield return one.Text("stallReason") is { } stall
                ? Finding.Problem(
                    "supervisor",
                    $"that of {of} cannot write its journal, so its work waits: {stall}",
                    "make room on the disk; it goes on by itself"
                )
                : Finding.Warning(
                    "supervisor",
                    $"that of {of} is {one.Text("liveness")}: {one.Text("reason")}",
                    one.Text("processState") == "T"
                        ? $"kill -CONT {one.Integer("pid")}"
                        : "see `holdfast supervisors`; its work is not lost by waiting"
                );
        }

        if (all.Count > 0 && all.All(s => s.Text("liveness") is "fresh" or "starting"))
        {
            yield return Finding.Ok("supervisor", $"{all.Count} at work, all well");
        }
    }
}
