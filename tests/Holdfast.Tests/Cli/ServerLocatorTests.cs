using Holdfast.Engine;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Tests.Cli;

public sealed class ServerLocatorTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("holdfast-cli-").FullName;
    private readonly Dictionary<string, string> _variables = [];

    public ServerLocatorTests() => _variables["HOLDFAST_DATA"] = _data;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public void The_data_directory_names_the_server_that_lives()
    {
        Announce("http://127.0.0.1:4711/", ProcessIdentity.Current);

        Assert.Equal(new ServerAddress("http://127.0.0.1:4711", "secret", IsLocal: true), Locate());
    }

    [Fact]
    public void A_record_of_a_process_that_is_gone_names_nobody()
    {
        Announce("http://127.0.0.1:4711", ProcessIdentity.Current with { StartTicks = 1 });

        Assert.Null(Locate());
    }

    [Fact]
    public void What_is_asked_for_comes_before_the_environment_and_that_before_the_data_directory()
    {
        Announce("http://127.0.0.1:4711", ProcessIdentity.Current);
        _variables["HOLDFAST_URL"] = "http://10.0.0.1:1/";
        _variables["HOLDFAST_TOKEN"] = "theirs";

        Assert.Equal(new ServerAddress("http://10.0.0.1:1", "theirs", IsLocal: false), Locate());
        Assert.Equal(
            new ServerAddress("http://10.0.0.2:2", "mine", IsLocal: false),
            Locate("--url", "http://10.0.0.2:2", "--token", "mine")
        );
        Assert.Equal(new ServerAddress("http://127.0.0.1:4711", "secret", IsLocal: true), Locate("--data", _data));
    }

    [Fact]
    public void The_token_of_the_data_directory_is_shown_to_no_other_server()
    {
        Announce("http://127.0.0.1:4711", ProcessIdentity.Current);

        Assert.Null(Locate("--url", "http://127.0.0.1:4712")!.Token);
        Assert.Equal("secret", Locate("--url", "http://127.0.0.1:4711/")!.Token);
    }

    [Theory]
    [InlineData("127.0.0.1:8787")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("http://127.0.0.1/?token=x")]
    public void What_is_no_address_is_refused(string url) =>
        Assert.Contains(url, Assert.Throws<UsageException>(() => Locate("--url", url)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_token_that_cannot_be_read_is_said()
    {
        Announce("http://127.0.0.1:4711", ProcessIdentity.Current);
        File.Delete(Path.Combine(_data, "token"));

        Assert.Equal(ErrorCodes.Unauthorized, Assert.Throws<RefusedException>(() => Locate()).Code);
    }

    private void Announce(string url, ProcessIdentity process)
    {
        var paths = new DataDirectoryPaths(_data);
        File.WriteAllText(paths.Token, "secret\n");
        new ServerRecord(url, process, "0.1.0").Write(paths.ServerRecord);
    }

    private ServerAddress? Locate(params string[] words)
    {
        var arguments = new Arguments();
        _ = ArgumentParser.ReadGlobal(words, arguments);
        return new ServerLocator(arguments, _variables.GetValueOrDefault).Locate();
    }
}
