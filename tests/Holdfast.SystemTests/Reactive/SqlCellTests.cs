using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Reactive;

/// <summary>SQL cells in a real ipykernel, on the database that is within it.</summary>
public sealed class SqlCellTests
{
    [Fact]
    public async Task Rows_go_between_Python_and_SQL_and_parameters_are_bound_never_pasted()
    {
        const string password = "hunter2-not-to-be-seen";
        await using TestServer server = await TestServer.StartAsync(
            new TestServerOptions
            {
                Environment = new Dictionary<string, string> { ["WAREHOUSE"] = $"postgresql://me:{password}@127.0.0.1:1/db" },
            }
        );
        var book = new ReactiveBook(
            server,
            "sql",
            ("show", "print([r['name'] for r in old], named[0]['name'] if named else None, list(nobody))"),
            ("old", "%%sql old\nSELECT name, age FROM people WHERE age > {least} ORDER BY age"),
            ("people", "people = [dict(name='Ann', age=50), dict(name=\"Bo'b\", age=60), dict(name='Cy', age=10)]"),
            ("least", "least = 40\nevil = \"'; DROP TABLE people; --\""),
            ("named", "%%sql named\nSELECT * FROM old WHERE name LIKE 'Bo%'"),
            ("evil", "%%sql nobody\nSELECT * FROM people WHERE name = {evil}"),
            ("few", "%%sql few --rows 1\nSELECT * FROM people"),
            ("notice", "print(len(few), few.notice)"),
            ("away", "%%sql away --dsn WAREHOUSE\nSELECT 1"),
            ("needs", "print(away)"),
            ("has", $"import os\nprint(os.environ['WAREHOUSE'].count('{password[..7]}'))")
        );
        string job = (await server.Rest.PostAsync("/v1/jobs", """{"argv":["sh","-c","test -n \"$WAREHOUSE\""]}"""))
            .Must(201)
            .Json.GetProperty("id")
            .GetString()!;
        Assert.Equal(
            "succeeded",
            (await server.Rest.GetAsync($"/v1/executions/{job}/wait?timeoutSeconds={Patience.AskedSeconds}"))
                .Must(200)
                .Json.GetProperty("state")
                .GetString()
        );

        Cascade cascade = await book.BeginAsync();
        string told = await cascade.EndAsync();
        Assert.Equal(
            "people=succeeded least=succeeded old=succeeded named=succeeded evil=succeeded show=succeeded few=succeeded notice=succeeded away=failed needs=blocked has=succeeded",
            told
        );
        Assert.Equal("1\n", book.Output("has"));
        Assert.Equal("['Ann', \"Bo'b\"] Bo'b []\n", book.Output("show"));
        Assert.StartsWith("1 Only the first 1 rows were fetched", book.Output("notice"), StringComparison.Ordinal);
        Assert.Equal("[SqlError]", book.Output("away"));

        // Nowhere: not in the file, the journals, the logs, the store, or what the kernel was started by.
        Assert.DoesNotContain(password, File.ReadAllText(book.Path), StringComparison.Ordinal);
        foreach (
            string file in Directory
                .EnumerateFiles(server.Data, "*", SearchOption.AllDirectories)
                .Where(static f => Kept.Contains(Path.GetExtension(f)))
                .Append(server.PathOf("server.log"))
        )
        {
            Assert.False(Contains(file, password), $"The password is in {file}.");
        }

        Assert.DoesNotContain(
            Directory.EnumerateDirectories("/proc"),
            folder => File.Exists($"{folder}/cmdline") && Contains($"{folder}/cmdline", password)
        );

        // A server that is started without the variable has nothing to pass on, and the cell says so.
        await server.KillAsync();
        await server.StartAgainAsync(new TestServerOptions());
        (await server.Rest.PostAsync($"/v1/kernels/{cascade.KernelId}/restart")).Must(200);
        book.Edit("has", "print('WAREHOUSE' in os.environ)");
        book.Edit("has-os", "import os");
        Assert.Contains("away=failed", await book.RunAsync(), StringComparison.Ordinal);
        Assert.Equal("False\n", book.Output("has"));
        Assert.Contains("The variable WAREHOUSE is not set", File.ReadAllText(book.Path), StringComparison.Ordinal);

        book.Edit("least", "least = 55\nevil = ''");
        await book.RunAsync();
        Assert.Equal("[\"Bo'b\"] Bo'b []\n", book.Output("show"));
    }

    private static readonly string[] Kept = [".hfj", ".json", ".db", ".db-wal", ".log"];

    private static bool Contains(string file, string text)
    {
        try
        {
            return ContainsNow(file, text);
        }
        catch (IOException) when (file.StartsWith("/proc/", StringComparison.Ordinal))
        {
            return false; // It has ended.
        }
    }

    private static bool ContainsNow(string file, string text)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.GetBuffer().AsSpan(0, (int)bytes.Length).IndexOf(System.Text.Encoding.UTF8.GetBytes(text)) >= 0;
    }
}
