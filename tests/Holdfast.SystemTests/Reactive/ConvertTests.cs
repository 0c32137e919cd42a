using System.Text.Json;
using Holdfast.SystemTests.Cli;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Reactive;

/// <summary>
/// A linear notebook that is run from top to bottom, converted by `holdfast notebook convert`, and run as a cascade, in real kernels: it
/// says the same.
/// </summary>
public sealed class ConvertTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private TestServer Server => shared.Server;

    [Fact]
    public async Task A_converted_notebook_says_in_a_cascade_what_it_said_from_top_to_bottom()
    {
        var book = new ReactiveBook(
            Server,
            "linear",
            ("load", "rows = [3, None, 1]  # rows, as they come"),
            ("seen", "for r in rows:\n    print('raw', r)"),
            ("clean", "rows = [r for r in rows if r]  # no None"),
            ("sum", "n = 0\nfor r in rows:\n    n += r\nprint(n, f'{n:>4}')"),
            ("sort", "rows = sorted(rows)\nprint(rows)")
        );
        string run = (await Server.Rest.PostAsync("/v1/notebooks/run", book.Request())).Must(201).Json.GetProperty("id").GetString()!;
        (await Server.Rest.GetAsync($"/v1/notebooks/runs/{run}?timeoutSeconds={Patience.AskedSeconds}")).Must(200);
        string[] said = [book.Output("seen"), book.Output("sum"), book.Output("sort")];
        byte[] before = File.ReadAllBytes(book.Path);

        // Looking changes nothing.
        string told = await CliProcess.MustAsync(Server.Data, "notebook", "convert", book.Path);
        Assert.Contains("fix: renamed to rows_1: here and in the 2 cells that read it", told, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was written; --write makes it so.", told, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(book.Path));

        using JsonDocument report = JsonDocument.Parse(
            await CliProcess.MustAsync(Server.Data, "notebook", "convert", book.Path, "--write", "--json")
        );
        Assert.Equal(before, File.ReadAllBytes(report.RootElement.GetProperty("backup").GetString()!));
        Assert.Equal("rows_2", report.RootElement.GetProperty("finalNames").GetProperty("rows").GetString());
        using (var notebook = JsonDocument.Parse(File.ReadAllBytes(book.Path)))
        {
            Assert.Equal("reactive", notebook.RootElement.GetProperty("metadata").GetProperty("holdfast").GetProperty("mode").GetString());
            Assert.Equal(
                [
                    "rows = [3, None, 1]  # rows, as they come",
                    "for _r in rows:\n    print('raw', _r)",
                    "rows_1 = [r for r in rows if r]  # no None",
                    "n = 0\nfor _r in rows_1:\n    n += _r\nprint(n, f'{n:>4}')",
                    "rows_2 = sorted(rows_1)\nprint(rows_2)",
                ],
                notebook.RootElement.GetProperty("cells").EnumerateArray().Select(static c => Text(c.GetProperty("source")))
            );
        }

        // Outputs stay until the cells run again.
        Assert.Equal(said, (string[])[book.Output("seen"), book.Output("sum"), book.Output("sort")]);
        Assert.Equal("load=succeeded seen=succeeded clean=succeeded sum=succeeded sort=succeeded", await book.RunAsync());
        Assert.Equal(said, (string[])[book.Output("seen"), book.Output("sum"), book.Output("sort")]);

        // Once is enough.
        Assert.EndsWith(
            "The notebook is reactive already; nothing was written.",
            await CliProcess.MustAsync(Server.Data, "notebook", "convert", book.Path),
            StringComparison.Ordinal
        );
    }

    private static string Text(JsonElement source) =>
        source.ValueKind == JsonValueKind.Array
            ? string.Concat(source.EnumerateArray().Select(static l => l.GetString()))
            : source.GetString()!;

    [Fact]
    public async Task What_cannot_be_mended_is_not_written_unless_it_is_so_asked()
    {
        var book = new ReactiveBook(Server, "stuck", ("a", "x = 1"), ("b", "y = 1"), ("c", "x = 2\nexec('x')"), ("d", "y = 2"));
        byte[] before = File.ReadAllBytes(book.Path);
        RestReply refused = await Server.Rest.PostAsync("/v1/notebooks/convert", $$"""{"path":"{{book.Path}}","write":true}""");
        Assert.Equal("notebook-not-convertible", refused.Must(409).Code);
        Assert.Equal(before, File.ReadAllBytes(book.Path));

        book = new ReactiveBook(Server, "stuck-in-part", ("a", "x = 1"), ("b", "y = 1"), ("c", "from os import *"), ("d", "y = 2"));
        JsonElement written = (
            await Server.Rest.PostAsync("/v1/notebooks/convert", $$"""{"path":"{{book.Path}}","write":true,"partial":true}""")
        )
            .Must(200)
            .Json;
        Assert.True(written.GetProperty("written").GetBoolean());
        Assert.Equal(["b", "c", "d"], written.GetProperty("blocked").EnumerateArray().Select(static c => c.GetString()!));
        Assert.Equal("a=succeeded", await book.RunAsync());
    }

    [Fact]
    public async Task A_notebook_that_runs_is_not_converted()
    {
        string gate = Server.PathOf("gate-convert");
        var book = new ReactiveBook(
            Server,
            "busy",
            ("slow", $"import os, time\nwhile not os.path.exists('{gate}'): time.sleep(0.01)"),
            ("x", "x = 1"),
            ("y", "x = 2")
        );
        string run = (await Server.Rest.PostAsync("/v1/notebooks/run", book.Request())).Must(201).Json.GetProperty("id").GetString()!;
        RestReply refused = await Server.Rest.PostAsync("/v1/notebooks/convert", $$"""{"path":"{{book.Path}}","write":true}""");
        Assert.Equal("notebook-busy", refused.Must(409).Code);
        File.WriteAllText(gate, "");
        (await Server.Rest.GetAsync($"/v1/notebooks/runs/{run}?timeoutSeconds={Patience.AskedSeconds}")).Must(200);
        (await Server.Rest.PostAsync("/v1/notebooks/convert", $$"""{"path":"{{book.Path}}","write":true}""")).Must(200);
    }
}
