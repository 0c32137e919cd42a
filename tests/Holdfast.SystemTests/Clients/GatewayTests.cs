using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Clients;

/// <summary>Debian's jupyter-server with `--gateway-url`, and clients behind it: JupyterLab's library, nbclient, nbconvert.</summary>
public sealed class GatewayTests(GatewayTests.Gateway gateway) : IClassFixture<GatewayTests.Gateway>
{
    /// <summary>A server of ours and a jupyter-server in front of it, for all tests of the class.</summary>
    public sealed class Gateway : IAsyncLifetime
    {
        internal TestServer Holdfast { get; private set; } = null!;
        internal JupyterServer Jupyter { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Holdfast = await TestServer.StartAsync();
            Jupyter = await JupyterServer.StartAsync(Holdfast);
        }

        public async ValueTask DisposeAsync()
        {
            await Jupyter.DisposeAsync();
            await Holdfast.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("execute", Traits = ["suite", "clients"])]
    [InlineData("stdin")]
    [InlineData("interrupt", Traits = ["suite", "clients"])]
    [InlineData("restart")]
    public async Task A_client_through_jupyter_server_works_with_our_kernels(string scenario)
    {
        await using var client = OutsideProcess.Node(gateway.Holdfast.Folder, "kernels.cjs", gateway.Jupyter.Url, "", scenario);
        string? outcome = await client.HearAsync("{\"scenario\"");
        Assert.True(outcome is not null && (bool)JsonNode.Parse(outcome)!["ok"]!, outcome + client.Said + gateway.Jupyter.Log);
    }

    [Fact]
    [Trait("suite", "clients")]
    public Task Nbclient_runs_a_notebook_through_jupyter_server() => NbclientMustRunAsync(gateway.Jupyter.Url);

    [Fact]
    public Task Nbclient_runs_a_notebook_through_the_token_prefix() =>
        NbclientMustRunAsync($"{gateway.Holdfast.Rest.Url}/t/{gateway.Holdfast.Rest.Token}");

    [Fact]
    public Task Nbconvert_executes_a_notebook_through_jupyter_server() => NbconvertMustRunAsync(gateway.Jupyter.Url);

    [Fact]
    [Trait("suite", "clients")]
    public Task Nbconvert_executes_a_notebook_through_the_token_prefix() =>
        NbconvertMustRunAsync($"{gateway.Holdfast.Rest.Url}/t/{gateway.Holdfast.Rest.Token}");

    private async Task NbclientMustRunAsync(string url)
    {
        Outsiders.RequirePython("nbclient");
        string notebook = Write();
        await using var client = OutsideProcess.Start(
            Path.GetDirectoryName(notebook)!,
            [Outsiders.Python, Outsiders.Script("python/nbclient_gateway.py"), notebook],
            ("JUPYTER_GATEWAY_URL", url)
        );
        await client.MustSucceedAsync();
        MustBeWhole(notebook);
    }

    private async Task NbconvertMustRunAsync(string url)
    {
        Outsiders.RequirePython("nbconvert");
        string notebook = Write();
        await using var client = OutsideProcess.Start(
            Path.GetDirectoryName(notebook)!,
            [
                Outsiders.Python,
                Outsiders.Require("jupyter-nbconvert"),
                "--to",
                "notebook",
                "--execute",
                "--inplace",
                notebook,
                "--ExecutePreprocessor.kernel_manager_class=jupyter_server.gateway.managers.GatewayKernelManager",
            ],
            ("JUPYTER_GATEWAY_URL", url)
        );
        await client.MustSucceedAsync();
        MustBeWhole(notebook);
    }

    private string Write()
    {
        string file = gateway.Holdfast.PathOf(Path.GetRandomFileName() + ".ipynb");
        File.WriteAllText(
            file,
            Notebooks.Of(
                "python3",
                "x = 21\nprint('one')",
                "import sys\n_ = sys.stderr.write('two\\n')\nx * 2",
                "for i in range(2000): print(i)"
            )
        );
        return file;
    }

    private static void MustBeWhole(string notebook)
    {
        JsonArray cells = Notebooks.Cells(notebook);
        Assert.Equal("one\n", Notebooks.Stream(cells[0]!, "stdout"));
        Assert.Equal("two\n", Notebooks.Stream(cells[1]!, "stderr"));
        Assert.Equal("42", Notebooks.Result(cells[1]!));
        Assert.Equal(string.Concat(Enumerable.Range(0, 2000).Select(static i => $"{i}\n")), Notebooks.Stream(cells[2]!, "stdout"));
        Assert.Equal([1, 2, 3], cells.Select(static c => (int)c!["execution_count"]!));
    }
}
