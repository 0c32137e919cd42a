using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Servers;

/// <summary>Starts that are refused, each with a sentence and a code, and harm nothing.</summary>
public sealed class ServerStartTests
{
    [Fact]
    public async Task A_second_server_on_the_same_data_is_refused_and_told_of_the_first()
    {
        await using TestServer first = await TestServer.StartAsync();
        (int exitCode, string said) = await RunAsync(first, "serve", "--data", first.Data, "--root", first.Root, "--port", "0");

        Assert.NotEqual(0, exitCode);
        Assert.Contains("data-directory-in-use", said, StringComparison.Ordinal);
        Assert.Contains(first.Rest.Url, said, StringComparison.Ordinal);
        Assert.Contains($"pid {first.Process.Id.ToString(CultureInfo.InvariantCulture)}", said, StringComparison.Ordinal);
        Assert.Equal(200, (await first.Rest.GetAsync("/readyz")).Status);
    }

    [Fact]
    public async Task A_port_in_use_is_refused_and_the_data_directory_is_free_again()
    {
        await using TestServer server = TestServer.Prepare();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        (int exitCode, string said) = await RunAsync(server, "serve", "--data", server.Data, "--root", server.Root, "--port", port);

        Assert.NotEqual(0, exitCode);
        Assert.Contains("port-in-use", said, StringComparison.Ordinal);
        Assert.Contains(port, said, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", said, StringComparison.Ordinal);
        await server.StartAgainAsync();
    }

    [Fact]
    public async Task A_data_directory_that_cannot_be_written_is_refused()
    {
        await using TestServer server = TestServer.Prepare(new TestServerOptions { SmallDisk = "ro" });
        server.Launch();

        Assert.NotEqual(0, await server.WaitForExitAsync());
        Assert.Contains("data-directory-not-writable", server.Log, StringComparison.Ordinal);
        Assert.Contains(server.Data, server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_newer_schema_is_refused_and_left_as_it_is()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.Rest.SubmitAsync("echo kept");
        await server.Rest.WaitAsync(id);
        Assert.Equal(0, await server.StopAsync());
        string known = await SetSchemaVersionAsync(server, "9999");
        server.Launch();

        Assert.NotEqual(0, await server.WaitForExitAsync());
        Assert.Contains("schema-too-new", server.Log, StringComparison.Ordinal);
        Assert.Contains("9999", server.Log, StringComparison.Ordinal);
        Assert.Equal("9999", await SetSchemaVersionAsync(server, known));
        await server.StartAgainAsync();
        Assert.Equal("kept\n", await server.Rest.OutputTextAsync(id));
    }

    /// <summary>Sets it; what it was.</summary>
    private static async Task<string> SetSchemaVersionAsync(TestServer server, string version)
    {
        const string script =
            "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); print(db.execute('PRAGMA user_version').fetchone()[0]); db.execute('PRAGMA user_version = ' + sys.argv[2]); db.commit(); db.close()";
        var start = new ProcessStartInfo("/usr/bin/python3", ["-c", script, Path.Combine(server.Data, "holdfast.db"), version])
        {
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return said.Trim();
    }

    private static async Task<(int ExitCode, string Said)> RunAsync(TestServer server, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Published.Release, "holdfast"), arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = server.Folder,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, errors + await output);
    }
}
