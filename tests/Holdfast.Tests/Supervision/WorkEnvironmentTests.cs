using Holdfast.Engine.Supervision;

namespace Holdfast.Tests.Supervision;

/// <summary>What of an environment is written into spec.json, and what is only named there.</summary>
public sealed class WorkEnvironmentTests
{
    [Theory]
    [InlineData("PGPASSWORD", "x")]
    [InlineData("HOLDFAST_SQL_DSN", "sqlite:///f")]
    [InlineData("AWS_SECRET_ACCESS_KEY", "x")]
    [InlineData("GITHUB_TOKEN", "x")]
    [InlineData("WAREHOUSE", "postgresql://me:hunter2@host/db")]
    [InlineData("WAREHOUSE", "host=h password=hunter2")]
    [InlineData("PROXY", "http://me:p@ss@proxy:80")]
    public void What_looks_like_a_secret_is_one(string name, string value) => Assert.True(WorkEnvironment.LooksSecret(name, value));

    [Theory]
    [InlineData("PATH", "/usr/bin:/bin")]
    [InlineData("PWD", "/home/me")]
    [InlineData("SSH_AUTH_SOCK", "/run/ssh")]
    [InlineData("HOME", "/home/me")]
    [InlineData("URL", "http://host:8080/a@b:c")]
    [InlineData("LANG", "C.UTF-8")]
    public void What_does_not_is_none(string name, string value) => Assert.False(WorkEnvironment.LooksSecret(name, value));

    [Fact]
    public void Only_what_is_the_servers_own_is_passed_by_name()
    {
        string path = Environment.GetEnvironmentVariable("PATH")!;
        (string[] inherit, string[] written) = WorkEnvironment.Split(
            new Dictionary<string, string>
            {
                ["PATH"] = path,
                ["HOME"] = "/elsewhere",
                ["OWN_TOKEN"] = "given",
            }
        );
        Assert.Equal(["PATH"], inherit);
        Assert.Equal(["HOME=/elsewhere", "OWN_TOKEN=given"], written);

        (inherit, written) = WorkEnvironment.SplitSecrets(new Dictionary<string, string> { ["PATH"] = path });
        Assert.Empty(inherit);
        Assert.Equal([$"PATH={path}"], written);
    }
}
