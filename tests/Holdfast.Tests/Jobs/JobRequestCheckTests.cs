using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Jobs;

namespace Holdfast.Tests.Jobs;

public sealed class JobRequestCheckTests
{
    private static readonly JobRequest Good = new() { Argv = ["true"] };

    /// <summary>As a caller writes it: what the JSON reader lets through, nulls among it, is for the check to refuse.</summary>
    [Theory]
    [InlineData("""{}""", "argv")]
    [InlineData("""{"argv":null}""", "argv")]
    [InlineData("""{"argv":[]}""", "argv")]
    [InlineData("""{"argv":[""]}""", "argv")]
    [InlineData("""{"argv":[null]}""", "argv")]
    [InlineData("""{"argv":["true",null]}""", "argv")]
    [InlineData("""{"argv":["true","a\u0000b"]}""", "argv")]
    [InlineData("""{"argv":["true"],"env":{"":"x"}}""", "env")]
    [InlineData("""{"argv":["true"],"env":{"A=B":"x"}}""", "env")]
    [InlineData("""{"argv":["true"],"env":{"A\u0000":"x"}}""", "env")]
    [InlineData("""{"argv":["true"],"env":{"A":"x\u0000"}}""", "env")]
    [InlineData("""{"argv":["true"],"env":{"A":null}}""", "env")]
    [InlineData("""{"argv":["true"],"timeoutSeconds":0}""", "timeoutSeconds")]
    [InlineData("""{"argv":["true"],"timeoutSeconds":-1}""", "timeoutSeconds")]
    [InlineData("""{"argv":["true"],"timeoutSeconds":1e30}""", "timeoutSeconds")]
    [InlineData("""{"argv":["true"],"pty":true,"rows":0}""", "rows")]
    [InlineData("""{"argv":["true"],"pty":true,"columns":65536}""", "columns")]
    [InlineData("""{"argv":["true"],"pty":false,"columns":80}""", "columns")]
    [InlineData("""{"argv":["true"],"rows":24}""", "rows")]
    [InlineData("""{"argv":["true"],"labels":{"":"x"}}""", "labels")]
    [InlineData("""{"argv":["true"],"labels":{"a=b":"x"}}""", "labels")]
    [InlineData("""{"argv":["true"],"labels":{"a":null}}""", "labels")]
    [InlineData("""{"argv":["true"],"cwd":"relative"}""", "cwd")]
    [InlineData("""{"argv":["true"],"cwd":"/tmp\u0000"}""", "cwd")]
    public void A_bad_field_is_refused_and_named(string json, string field) =>
        RequireRefused(JsonSerializer.Deserialize(json, JobJson.Default.JobRequest)!, null, field);

    [Fact]
    public void A_bound_is_kept_and_what_is_at_the_bound_passes()
    {
        Pass(Good with { Argv = [.. Enumerable.Repeat("a", JobLimits.ArgumentsMax)] });
        RequireRefused(Good with { Argv = [.. Enumerable.Repeat("a", JobLimits.ArgumentsMax + 1)] }, null, "argv");
        Pass(Good with { Name = Text(JobLimits.NameLengthMax) });
        RequireRefused(Good with { Name = Text(JobLimits.NameLengthMax + 1) }, null, "name");
        Pass(Good with { Stdin = Text(JobLimits.StdinCharactersMax) });
        RequireRefused(Good with { Stdin = Text(JobLimits.StdinCharactersMax + 1) }, null, "stdin");
        Pass(Good with { TimeoutSeconds = JobLimits.TimeoutSecondsMax });
        RequireRefused(Good with { TimeoutSeconds = double.NaN }, null, "timeoutSeconds");
        Pass(Good with { Labels = Labels(JobLimits.LabelsMax) });
        RequireRefused(Good with { Labels = Labels(JobLimits.LabelsMax + 1) }, null, "labels");
        RequireRefused(Good with { Labels = new Dictionary<string, string> { [Text(JobLimits.LabelLengthMax + 1)] = "" } }, null, "labels");
        RequireRefused(
            Good with
            {
                Labels = new Dictionary<string, string> { ["a"] = Text(JobLimits.LabelLengthMax + 1) },
            },
            null,
            "labels"
        );
        JobRequestCheck.ThrowIfInvalid(Good, Text(JobLimits.IdempotencyKeyLengthMax));
        RequireRefused(Good, Text(JobLimits.IdempotencyKeyLengthMax + 1), "Idempotency-Key");
        RequireRefused(Good, "", "Idempotency-Key");
    }

    [Fact]
    public void A_working_directory_must_be_there()
    {
        Pass(Good with { Cwd = Path.GetTempPath() });
        RefusedException refused = Assert.Throws<RefusedException>(() => Pass(Good with { Cwd = "/not/here" }));
        Assert.Equal(ErrorCodes.WorkingDirectoryNotFound, refused.Code);
        Assert.Contains("/not/here", refused.Message, StringComparison.Ordinal);
    }

    private static void Pass(JobRequest request) => JobRequestCheck.ThrowIfInvalid(request, null);

    private static void RequireRefused(JobRequest request, string? key, string field)
    {
        RefusedException refused = Assert.Throws<RefusedException>(() => JobRequestCheck.ThrowIfInvalid(request, key));
        Assert.Equal(ErrorCodes.InvalidRequest, refused.Code);
        Assert.StartsWith(field + " ", refused.Message, StringComparison.Ordinal);
    }

    private static string Text(int length) => new('x', length);

    private static Dictionary<string, string> Labels(int count) =>
        Enumerable.Range(0, count).ToDictionary(static i => $"l{i}", static _ => "v");
}
