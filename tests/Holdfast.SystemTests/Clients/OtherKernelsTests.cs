using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Clients;

/// <summary>
/// Kernels of different make: ipykernel (Python over libzmq), IRkernel (R, its own binding of libzmq) and Deno's (Rust, a ZeroMQ of its
/// own). Each is run by our notebook runner, and by JupyterLab's library through the Jupyter door.
/// </summary>
public sealed class OtherKernelsTests(OtherKernelsTests.Server server) : IClassFixture<OtherKernelsTests.Server>
{
    /// <summary>A server that also finds the kernelspec of Deno.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private readonly DirectoryInfo _specs = Directory.CreateTempSubdirectory("holdfast-specs-");

        internal TestServer Holdfast { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            if (Outsiders.Deno is { } deno)
            {
                string folder = Directory.CreateDirectory(Path.Combine(_specs.FullName, "kernels/deno")).FullName;
                File.WriteAllText(
                    Path.Combine(folder, "kernel.json"),
                    new JsonObject
                    {
                        ["argv"] = new JsonArray(deno, "jupyter", "--kernel", "--conn", "{connection_file}"),
                        ["display_name"] = "Deno",
                        ["language"] = "typescript",
                    }.ToJsonString()
                );
            }

            Holdfast = await TestServer.StartAsync(
                new TestServerOptions
                {
                    Environment =
                    {
                        ["JUPYTER_PATH"] = _specs.FullName,
                        ["DENO_DIR"] = _specs.FullName,
                        ["NO_COLOR"] = "1",
                    },
                }
            );
        }

        public async ValueTask DisposeAsync()
        {
            await Holdfast.DisposeAsync();
            _specs.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("python3", "6 * 7", "print('said')", "import sys\nsys.stderr.write('err')\nnosuchthing")]
    [InlineData("ir", "6 * 7", "cat('said\\n')", "message('err')\nnosuchthing")]
    [InlineData("deno", "6 * 7", "console.log('said')", "console.error('err')\nnosuchthing")]
    public async Task A_notebook_runs_in_it(string kernel, string result, string print, string fails)
    {
        Require(kernel);
        string file = Path.Combine(server.Holdfast.Root, kernel + ".ipynb");
        File.WriteAllText(file, Notebooks.Of(kernel, result, print, fails));
        string id = (await server.Holdfast.Rest.PostAsync("/v1/notebooks/run", new JsonObject { ["path"] = file }.ToJsonString()))
            .Must(201)
            .Json.GetProperty("id")
            .GetString()!;
        JsonElement ended = (await server.Holdfast.Rest.GetAsync($"/v1/notebooks/runs/{id}?timeoutSeconds={Patience.AskedSeconds}"))
            .Must(200)
            .Json;

        Assert.Equal(
            ["succeeded", "succeeded", "failed"],
            ended.GetProperty("cells").EnumerateArray().Select(static c => c.GetProperty("state").GetString())
        );
        JsonArray cells = Notebooks.Cells(file);
        Assert.Contains("42", Notebooks.Result(cells[0]!), StringComparison.Ordinal);
        Assert.Equal("said\n", Notebooks.Stream(cells[1]!, "stdout"));
        Assert.Contains(cells[2]!["outputs"]!.AsArray(), static o => (string?)o!["output_type"] == "error");
    }

    [Theory]
    [InlineData("python3", Traits = ["suite", "clients"])]
    [InlineData("ir")]
    [InlineData("deno")]
    public async Task JupyterLabs_library_works_with_it(string kernel)
    {
        Require(kernel);
        await using var client = OutsideProcess.Node(
            server.Holdfast.Folder,
            "languages.cjs",
            server.Holdfast.Rest.Url,
            server.Holdfast.Rest.Token,
            kernel
        );
        string? outcome = await client.HearAsync("{\"scenario\"");
        Assert.True(outcome is not null && (bool)JsonNode.Parse(outcome)!["ok"]!, outcome + client.Said);
    }

    private static void Require(string kernel)
    {
        switch (kernel)
        {
            case "ir":
                Outsiders.RequireR();
                break;
            case "deno":
                Outsiders.RequireDeno();
                break;
        }
    }
}
