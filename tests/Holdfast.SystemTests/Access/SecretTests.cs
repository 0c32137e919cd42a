using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Cli;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Access;

/// <summary>
/// Tokens are shown in many ways and lie in one file: not in the log, the store, the journals, the command lines or what work inherits.
/// </summary>
public sealed class SecretTests
{
    [Fact]
    public async Task A_token_is_in_its_file_and_nowhere_else()
    {
        string main = "0123456789abcdefSECRET" + Guid.NewGuid().ToString("N"); // No other run of this test has it, now or from before.
        await using TestServer server = TestServer.Prepare(new TestServerOptions { Environment = new() { ["HOLDFAST_TOKEN"] = main } });
        Directory.CreateDirectory(server.Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(Path.Combine(server.Data, "token"), main + "\n", TestContext.Current.CancellationToken);
        await server.StartAgainAsync();
        RestClient rest = server.Rest;
        string made = (await rest.PostAsync("/v1/tokens", """{"name":"made","scopes":["read","run"]}"""))
            .Must(201)
            .Json.GetProperty("token")
            .GetString()!;

        // By every way there is, also where it goes wrong.
        foreach (string token in (string[])[main, made])
        {
            (await BareAsync(rest, "/api/kernels?token=" + token)).Must(200);
            (await BareAsync(rest, $"/t/{token}/api/kernels")).Must(200);
            (await BareAsync(rest, $"/t/{token}/v1/nothing")).Must(404);
            (await BareAsync(rest, $"/v1/nothing?token={token}")).Must(404);
            (await BareAsync(rest, $"/api/kernels?token={token}x")).Must(403);
            (await BareAsync(rest, $"/t/{token}x/api/kernels")).Must(403);
            var job = new HttpRequestMessage(HttpMethod.Post, "/v1/jobs")
            {
                Content = new StringContent(RestClient.Shell("env; sleep 1000").ToJsonString(), Encoding.UTF8, "application/json"),
            };
            job.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            string id = (await rest.SendAsync(job)).Must(201).Execution.Id;
            await rest.WaitForStateAsync(id, "running");
            var kernel = new HttpRequestMessage(HttpMethod.Post, $"/t/{token}/api/kernels") { Content = new StringContent("{}") };
            (await rest.SendAsync(kernel, withToken: false)).Must(201);
            (await rest.PostAsync("/v1/jobs?token=" + token, new JsonObject { ["argv"] = new JsonArray("true") }.ToJsonString())).Must(201);
        }

        await CliProcess.MustAsync(server.Data, "ls");
        await Patience.UntilAsync(
            async () =>
                (await rest.GetAsync("/api/kernels"))
                    .Must(200)
                    .Json.EnumerateArray()
                    .All(static k => k.GetProperty("execution_state").GetString() == "idle"),
            "the kernels were up"
        );
        foreach (string secret in (string[])[main, made])
        {
            AssertNotIn(secret, Encoding.UTF8.GetBytes(server.Log), "the log");
            foreach (
                string file in Directory
                    .EnumerateFiles(server.Data, "*", SearchOption.AllDirectories)
                    .Where(f => f != Path.Combine(server.Data, "token"))
            )
            {
                AssertNotIn(secret, Read(file), file);
            }

            foreach (string process in Directory.EnumerateDirectories("/proc").Where(static p => char.IsAsciiDigit(p[^1])))
            {
                AssertNotIn(secret, Read(process + "/cmdline"), process + "/cmdline");
                if (Path.GetFileName(process) != server.Process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture))
                {
                    AssertNotIn(secret, Read(process + "/environ"), process + "/environ");
                }
            }
        }
    }

    [Fact]
    public async Task Supervisors_sockets_are_their_owner_s_in_a_folder_that_nobody_else_enters()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.Rest.SubmitAsync("sleep 1000");
        await server.Rest.WaitForStateAsync(id, "running");
        string[] sockets = Directory.GetFiles(Path.Combine(server.Data, "run"), "*.sock");
        Assert.NotEmpty(sockets);
        Assert.All(sockets, static s => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(s)));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(Path.Combine(server.Data, "run"))
        );
        (await server.Rest.CommandAsync(id, "cancel")).Must(200);
    }

    [Fact]
    public async Task A_supervisor_hangs_up_on_another_user_even_where_the_files_would_let_him_in()
    {
        Assert.SkipUnless(Environment.UserName == "root" && File.Exists("/usr/bin/setpriv"), "only root can be somebody else");
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.Rest.SubmitAsync("sleep 1000");
        await server.Rest.WaitForStateAsync(id, "running");
        string socket = Directory.GetFiles(Path.Combine(server.Data, "run"), "*.sock")[0];
        const UnixFileMode enter = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute;
        foreach (string folder in (string[])[server.Folder, server.Data, Path.Combine(server.Data, "run")])
        {
            File.SetUnixFileMode(folder, enter);
        }

        File.SetUnixFileMode(socket, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite);
        const string caller =
            "import socket,sys; s=socket.socket(socket.AF_UNIX); s.settimeout(float(sys.argv[2])); s.connect(sys.argv[1])\ntry: print(s.recv(1))\nexcept TimeoutError: print('still open')\nexcept ConnectionError: print(b'')";
        Assert.Equal(
            "b''",
            await AskAsync(["--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", caller, socket, "60"])
        );
        Assert.Equal("still open", await AskAsync(["/usr/bin/python3", "-c", caller, socket, "2"]));
        (await server.Rest.CommandAsync(id, "cancel")).Must(200);

        async Task<string> AskAsync(string[] arguments)
        {
            using CliProcess process = CliProcess.StartProgram(server.Data, "/usr/bin/setpriv", arguments);
            return (await process.EndAsync()).Output.Trim();
        }
    }

    private static Task<RestReply> BareAsync(RestClient rest, string path) =>
        rest.SendAsync(new HttpRequestMessage(HttpMethod.Get, path), withToken: false);

    private static byte[] Read(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            return copy.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // A socket, or gone.
        }
    }

    private static void AssertNotIn(string secret, byte[] bytes, string where) =>
        Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) < 0, $"{where} has a token in it.");
}
