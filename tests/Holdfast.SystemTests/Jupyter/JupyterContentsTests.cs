using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jupyter;

/// <summary>/api/contents and /files as clients use them, and as nobody should, on a real server.</summary>
public sealed class JupyterContentsTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private readonly TestServer _server = shared.Server;
    private readonly RestClient _rest = shared.Server.Rest;

    [Fact]
    public async Task A_file_is_made_saved_read_copied_renamed_and_deleted()
    {
        string folder = (await _rest.PostAsync("/api/contents", """{"type":"directory"}"""))
            .Must(201)
            .Json.GetProperty("path")
            .GetString()!;
        RestReply made = (await _rest.PostAsync($"/api/contents/{folder}", """{"type":"file","ext":".txt"}""")).Must(201);
        string path = made.Json.GetProperty("path").GetString()!;
        Assert.Equal(
            ($"{folder}/untitled.txt", $"/api/contents/{Uri.EscapeDataString(folder)}/untitled.txt"),
            (path, made.Header("Location"))
        );

        (await SendAsync(HttpMethod.Put, path, """{"type":"file","format":"text","content":"grüß\n"}""")).Must(200);
        JsonElement read = (await _rest.GetAsync($"/api/contents/{path}?hash=1&1732000000")).Must(200).Json;
        Assert.Equal(
            (
                "grüß\n",
                "text",
                "text/plain",
                7L,
                "sha256",
                Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("grüß\n"u8))
            ),
            (
                Text(read, "content"),
                Text(read, "format"),
                Text(read, "mimetype"),
                read.GetProperty("size").GetInt64(),
                Text(read, "hash_algorithm"),
                Text(read, "hash")
            )
        );
        JsonElement head = (await _rest.GetAsync($"/api/contents/{path}?content=0")).Must(200).Json;
        Assert.Equal(
            (JsonValueKind.Null, JsonValueKind.Null, JsonValueKind.Null),
            (head.GetProperty("content").ValueKind, head.GetProperty("format").ValueKind, head.GetProperty("hash").ValueKind)
        );
        Assert.Equal(
            "Z3LDvMOfCg==",
            Text((await _rest.GetAsync($"/api/contents/{path}?type=file&format=base64")).Must(200).Json, "content")
        );
        Assert.Equal("invalid-request", Text((await _rest.GetAsync($"/api/contents/{path}?type=directory")).Must(400).Json, "reason"));

        RestReply copy = (await _rest.PostAsync($"/api/contents/{folder}", $$"""{"copy_from":"{{path}}"}""")).Must(201);
        Assert.Equal($"{folder}/untitled-Copy1.txt", Text(copy.Json, "path"));
        Assert.Equal(
            "contents-exists",
            Text((await SendAsync(HttpMethod.Patch, path, $$"""{"path":"{{folder}}/untitled-Copy1.txt"}""")).Must(409).Json, "reason")
        );
        (await SendAsync(HttpMethod.Patch, path, $$"""{"path":"{{folder}}/renamed.txt"}""")).Must(200);
        Assert.Equal("contents-not-found", Text((await _rest.GetAsync($"/api/contents/{path}")).Must(404).Json, "reason"));
        (await SendAsync(HttpMethod.Delete, $"{folder}/renamed.txt")).Must(204);
        JsonElement list = (await _rest.GetAsync($"/api/contents/{folder}")).Must(200).Json;
        Assert.Equal(["untitled-Copy1.txt"], list.GetProperty("content").EnumerateArray().Select(static e => Text(e, "name")));
    }

    [Fact]
    public async Task A_notebook_has_a_checkpoint_and_is_trusted_as_it_was_saved()
    {
        (await SendAsync(HttpMethod.Put, "c.ipynb", Notebook("1", trusted: true))).Must(201);
        (await SendAsync(HttpMethod.Put, "c.ipynb", Notebook("2", trusted: false))).Must(200);
        Assert.False(await IsTrustedAsync("c.ipynb"));
        (await _rest.PostAsync("/api/contents/c.ipynb/trust")).Must(201);
        Assert.True(await IsTrustedAsync("c.ipynb"));

        JsonElement checkpoint = (await _rest.GetAsync("/api/contents/c.ipynb/checkpoints")).Must(200).Json[0];
        (await _rest.PostAsync($"/api/contents/c.ipynb/checkpoints/{Text(checkpoint, "id")}")).Must(204);
        Assert.Equal(
            "1",
            Text((await _rest.GetAsync("/api/contents/c.ipynb")).Json.GetProperty("content").GetProperty("cells")[0], "source")
        );
        (await _rest.PostAsync("/api/contents/c.ipynb/checkpoints")).Must(201);
        (await SendAsync(HttpMethod.Delete, "c.ipynb/checkpoints/checkpoint")).Must(204);
        Assert.Equal(
            "checkpoint-not-found",
            Text((await _rest.PostAsync("/api/contents/c.ipynb/checkpoints/checkpoint")).Must(404).Json, "reason")
        );
    }

    [Fact]
    public async Task An_upload_in_chunks_is_there_whole_when_its_last_chunk_is()
    {
        for (int chunk = 1; chunk <= 3; chunk++)
        {
            Assert.False(File.Exists(Path.Combine(_server.Root, "up.bin")));
            string number = chunk == 3 ? "-1" : chunk.ToString(CultureInfo.InvariantCulture);
            (
                await SendAsync(
                    HttpMethod.Put,
                    "up.bin",
                    $$"""{"type":"file","format":"base64","chunk":{{number}},"content":"{{Convert.ToBase64String([1, 2, (byte)chunk])}}"}"""
                )
            ).Must(201);
        }

        Assert.Equal(
            [1, 2, 1, 1, 2, 2, 1, 2, 3],
            await File.ReadAllBytesAsync(Path.Combine(_server.Root, "up.bin"), TestContext.Current.CancellationToken)
        );
        Assert.Equal(
            "upload-out-of-order",
            Text(
                (await SendAsync(HttpMethod.Put, "up.bin", """{"type":"file","format":"text","chunk":2,"content":"x"}""")).Must(409).Json,
                "reason"
            )
        );
    }

    /// <summary>
    /// Goal: nothing outside the root is read, written, listed or deleted. Method: each way out that there is, sent as it is by hand.
    /// </summary>
    [Theory]
    [InlineData("../secret.txt")]
    [InlineData("%2e%2e/secret.txt")]
    [InlineData("..%2fsecret.txt")]
    [InlineData("sub/..%2f..%2fsecret.txt")]
    [InlineData("%252e%252e/secret.txt")]
    [InlineData("..%5csecret.txt")]
    [InlineData("link.txt")]
    [InlineData("linked/secret.txt")]
    [InlineData("linked")]
    [InlineData("chain/secret.txt")]
    [InlineData(".hidden")]
    [InlineData("sub/.config/x")]
    [InlineData("%2F%2Fetc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("a%00b")]
    public async Task Nothing_outside_the_root_is_reached(string path)
    {
        string secret = Path.Combine(_server.Folder, "secret.txt");
        await File.WriteAllTextAsync(secret, "secret", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(_server.Root, ".hidden"), "secret", TestContext.Current.CancellationToken);
        Directory.CreateDirectory(Path.Combine(_server.Root, "sub", ".config"));
        await File.WriteAllTextAsync(Path.Combine(_server.Root, "sub", ".config", "x"), "secret", TestContext.Current.CancellationToken);
        Link("link.txt", secret);
        Link("linked", _server.Folder);
        Link("chain", "linked");

        foreach (string prefix in (string[])["/api/contents/", "/files/"])
        {
            string read = await RawAsync("GET", prefix + path, "");
            Assert.Matches("^HTTP/1.1 40[04] ", read);
            Assert.DoesNotContain("secret\"", read, StringComparison.Ordinal);
            Assert.DoesNotContain("root:", read, StringComparison.Ordinal);
        }

        string[] before = Everything();
        Assert.Matches(
            "^HTTP/1.1 40[0-9] ",
            await RawAsync("PUT", "/api/contents/" + path, """{"type":"file","format":"text","content":"overwritten"}""")
        );
        Assert.Matches(
            "^HTTP/1.1 40[0-9] ",
            await RawAsync(
                "POST",
                "/api/contents",
                $$"""{"copy_from":"{{Uri.UnescapeDataString(path).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\0", "\\u0000", StringComparison.Ordinal)}}"}"""
            )
        );
        Assert.Equal("secret", await File.ReadAllTextAsync(secret, TestContext.Current.CancellationToken));
        Assert.Equal(before, Everything());
        Assert.DoesNotContain(
            (await _rest.GetAsync("/api/contents")).Must(200).Json.GetProperty("content").EnumerateArray(),
            static e => Text(e, "name") is "link.txt" or "linked" or "chain" or ".hidden"
        );
    }

    [Fact]
    public async Task A_link_is_deleted_itself_and_not_what_it_leads_to()
    {
        string kept = Path.Combine(_server.Folder, "kept.txt");
        await File.WriteAllTextAsync(kept, "kept", TestContext.Current.CancellationToken);
        Link("away.txt", kept);
        (await SendAsync(HttpMethod.Delete, "away.txt")).Must(204);
        Assert.True(File.Exists(kept));
        Assert.Null(new FileInfo(Path.Combine(_server.Root, "away.txt")).LinkTarget);
    }

    [Fact]
    public async Task A_large_file_is_streamed_whole_or_a_range_of_it_without_being_held()
    {
        const long Length = 400L << 20;
        string path = Path.Combine(_server.Root, "large.bin");
        using (FileStream file = File.Create(path))
        {
            file.SetLength(Length);
            file.Position = Length - 4;
            file.Write("tail"u8);
        }

        (await _rest.GetAsync("/files/sub/none")).Must(404);
        long before = PeakKilobytes();
        using var http = new HttpClient { BaseAddress = new Uri(_rest.Url) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _rest.Token);
        using (
            HttpResponseMessage whole = await http.GetAsync(
                "/files/large.bin",
                HttpCompletionOption.ResponseHeadersRead,
                TestContext.Current.CancellationToken
            )
        )
        {
            Assert.Equal(Length, whole.Content.Headers.ContentLength);
            using Stream body = await whole.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            byte[] buffer = new byte[1 << 20];
            long read = 0;
            while (await body.ReadAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var length)
            {
                read += length;
            }

            Assert.Equal(Length, read);
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, "/files/large.bin?download=1")
        {
            Headers = { Range = new RangeHeaderValue(null, 4) },
        };
        using HttpResponseMessage range = await http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(
            (206, "tail", $"bytes {Length - 4}-{Length - 1}/{Length}"),
            (
                (int)range.StatusCode,
                await range.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
                range.Content.Headers.ContentRange?.ToString()
            )
        );
        Assert.Equal("contents-too-large", Text((await _rest.GetAsync("/api/contents/large.bin")).Must(413).Json, "reason"));
        Assert.InRange(PeakKilobytes() - before, 0, 32 * 1024);
        File.Delete(path);
    }

    private async Task<bool> IsTrustedAsync(string path) =>
        (await _rest.GetAsync("/api/contents/" + path))
            .Must(200)
            .Json.GetProperty("content")
            .GetProperty("cells")[0]
            .GetProperty("metadata")
            .GetProperty("trusted")
            .GetBoolean();

    private static string Notebook(string source, bool trusted) =>
        new JsonObject
        {
            ["type"] = "notebook",
            ["content"] = new JsonObject
            {
                ["nbformat"] = 4,
                ["nbformat_minor"] = 5,
                ["metadata"] = new JsonObject(),
                ["cells"] = new JsonArray(
                    new JsonObject
                    {
                        ["id"] = "c0",
                        ["cell_type"] = "code",
                        ["source"] = source,
                        ["execution_count"] = 1,
                        ["metadata"] = new JsonObject { ["trusted"] = trusted },
                        ["outputs"] = new JsonArray(
                            new JsonObject
                            {
                                ["output_type"] = "display_data",
                                ["metadata"] = new JsonObject(),
                                ["data"] = new JsonObject { ["text/html"] = "<script></script>" },
                            }
                        ),
                    }
                ),
            },
        }.ToJsonString();

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private void Link(string name, string target)
    {
        string path = Path.Combine(_server.Root, name);
        if (new FileInfo(path).LinkTarget is null)
        {
            _ = File.CreateSymbolicLink(path, target);
        }
    }

    /// <summary>Links themselves left out: they are the ways out.</summary>
    private string[] Everything() =>
        [
            .. Directory
                .EnumerateFileSystemEntries(
                    _server.Root,
                    "*",
                    new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }
                )
                .Order(StringComparer.Ordinal),
        ];

    private long PeakKilobytes()
    {
        string line = File.ReadLines($"/proc/{_server.Process.Id.ToString(CultureInfo.InvariantCulture)}/status")
            .First(static l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private Task<RestReply> SendAsync(HttpMethod method, string path, string? body = null) =>
        _rest.SendAsync(
            new HttpRequestMessage(method, "/api/contents/" + path)
            {
                Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"),
            }
        );

    /// <summary>What no well-behaved client would send: the path goes out as it is.</summary>
    private async Task<string> RawAsync(string method, string target, string body)
    {
        var url = new Uri(_rest.Url);
        using var socket = new TcpClient();
        await socket.ConnectAsync(url.Host, url.Port, TestContext.Current.CancellationToken);
        using NetworkStream stream = socket.GetStream();
        string request = string.Create(
            CultureInfo.InvariantCulture,
            $"{method} {target} HTTP/1.1\r\nHost: {url.Authority}\r\nAuthorization: token {_rest.Token}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}"
        );
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
