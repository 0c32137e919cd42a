using Holdfast.Server.Cli;

namespace Holdfast.Tests.Cli;

/// <summary>Whoever installs a service by the link that upgrades change gets a unit that upgrades.</summary>
public sealed class CalledProgramTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("holdfast-called-").FullName;

    public CalledProgramTests()
    {
        Directory.CreateDirectory(At("holdfast-0.1.0"));
        File.WriteAllText(Runs, "");
        Directory.CreateSymbolicLink(At("holdfast"), "holdfast-0.1.0");
        Directory.CreateDirectory(At("bin"));
        File.CreateSymbolicLink(At("bin/holdfast"), At("holdfast/holdfast"));
        Directory.CreateDirectory(At("other"));
        File.WriteAllText(At("other/holdfast"), "");
    }

    private string Runs => At("holdfast-0.1.0/holdfast");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("{0}/holdfast/holdfast", "{0}/holdfast/holdfast")]
    [InlineData("./holdfast/holdfast", "{0}/holdfast/holdfast")]
    [InlineData("holdfast", "{0}/bin/holdfast")] // By PATH, past another program of that name.
    [InlineData("{0}/other/holdfast", "{0}/holdfast-0.1.0/holdfast")]
    [InlineData("nothing-of-the-kind", "{0}/holdfast-0.1.0/holdfast")]
    public void The_links_of_the_call_are_kept_where_they_lead_to_what_runs(string calledAs, string expected) =>
        Assert.Equal(Of(expected), CalledProgram.Find(Of(calledAs), _folder, $"{At("other")}:{At("bin")}", Runs));

    private string Of(string text) => text.Replace("{0}", _folder, StringComparison.Ordinal);

    private string At(string name) => Path.Combine(_folder, name);
}
