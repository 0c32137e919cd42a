using System.Text.Json;
using Holdfast.SystemTests.Cli;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Reactive;

/// <summary>
/// `holdfast notebook watch`, `run-stale`, `resume`, `check` and `graph` as somebody with an editor and a terminal uses them.
/// </summary>
public sealed class WatchTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private TestServer Server => shared.Server;

    [Fact]
    public async Task A_watched_notebook_runs_however_an_editor_saves_it_and_Ctrl_C_harms_nothing()
    {
        var book = new ReactiveBook(Server, "watched", ("x", "x = 1"), ("y", "print('x is', x)"));
        using CliProcess watch = CliProcess.Start(Server.Data, "notebook", "watch", book.Path);
        await SaidAsync(book, "x is 1\n");

        // Another file renamed over it, as JupyterLab and most editors save.
        book.Edit("x", "x = 2");
        await SaidAsync(book, "x is 2\n");

        // Written in place: cut to nothing, then written.
        Change(book, "x = 3", text => File.WriteAllText(book.Path, text));
        await SaidAsync(book, "x is 3\n");

        // As vim with backupcopy=no: the old file is moved away, a new one comes under its name.
        Change(
            book,
            "x = 4",
            text =>
            {
                File.Move(book.Path, book.Path + "~");
                File.WriteAllText(book.Path, text);
                File.Delete(book.Path + "~");
            }
        );
        await SaidAsync(book, "x is 4\n");

        // As git checkout: removed, and made anew. In between there is none.
        Change(
            book,
            "x = 5",
            text =>
            {
                File.Delete(book.Path);
                File.WriteAllText(book.Path, text);
            }
        );
        await SaidAsync(book, "x is 5\n");

        // A text that cannot be read runs nothing, and heals.
        book.Edit("x", "x = (");
        book.Edit("x", "x = 6");
        await SaidAsync(book, "x is 6\n");

        string gate = Server.PathOf("gate-watch");
        book.Edit("x", $"import os, time\nx = 7\nopen('{gate}-begun', 'w').close()\nwhile not os.path.exists('{gate}'): time.sleep(0.01)");
        await Patience.UntilAsync(() => File.Exists(gate + "-begun"), "the slow cell runs");
        watch.Interrupt();
        (int exitCode, string output, _) = await watch.EndAsync();
        Assert.Equal(130, exitCode);
        Assert.StartsWith("Watching ", output, StringComparison.Ordinal);
        Assert.Contains("y succeeded", output, StringComparison.Ordinal);
        File.WriteAllText(gate, "");
        await SaidAsync(book, "x is 7\n");
    }

    [Fact]
    public async Task Two_watches_of_one_notebook_run_each_edit_to_its_end()
    {
        var book = new ReactiveBook(Server, "watched-twice", ("x", "x = 0"), ("y", "print('x is', x)"));
        using CliProcess one = CliProcess.Start(Server.Data, "notebook", "watch", book.Path);
        using CliProcess other = CliProcess.Start(Server.Data, "notebook", "watch", book.Path);
        await SaidAsync(book, "x is 0\n");
        for (int i = 1; i <= 5; i++)
        {
            book.Edit("x", $"x = {i}");
            await SaidAsync(book, $"x is {i}\n");
        }
    }

    [Fact]
    public async Task Run_stale_and_resume_end_with_the_work_s_own_status()
    {
        var book = new ReactiveBook(
            Server,
            "stale",
            ("x", "x = 1"),
            ("bad", "bad = x\nraise ValueError('no')"),
            ("below", "print(bad)"),
            ("apart", "print('apart')")
        );
        using (CliProcess failed = CliProcess.Start(Server.Data, "notebook", "run-stale", book.Path))
        {
            Assert.Equal(1, (await failed.EndAsync()).ExitCode);
        }

        Assert.Equal("apart\n", book.Output("apart"));
        book.Edit("bad", "bad = x");
        await CliProcess.MustAsync(Server.Data, "notebook", "resume", book.Path);
        Assert.Equal("1\n", book.Output("below"));
        Assert.Equal("Nothing is stale that may run.", await CliProcess.MustAsync(Server.Data, "notebook", "run-stale", book.Path));
        using CliProcess nothing = CliProcess.Start(Server.Data, "notebook", "resume", book.Path);
        (int exitCode, _, string error) = await nothing.EndAsync();
        Assert.Equal(1, exitCode);
        Assert.Contains("[nothing-to-resume]", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_looks_at_every_notebook_and_its_status_is_for_machines()
    {
        var good = new ReactiveBook(Server, "good", ("x", "x = 1"), ("y", "print(x)"));
        var twice = new ReactiveBook(Server, "twice", ("x", "x = 1"), ("y", "x = 2"));
        string text = Path.Combine(Server.Root, "text.ipynb");
        File.WriteAllText(text, "no notebook");
        Assert.EndsWith(
            "2 cells, 0 errors, 0 notes",
            await CliProcess.MustAsync(Server.Data, "notebook", "check", good.Path),
            StringComparison.Ordinal
        );
        using CliProcess check = CliProcess.Start(
            Server.Data,
            "notebook",
            "check",
            twice.Path,
            Path.Combine(Server.Root, "nowhere.ipynb"),
            text,
            Server.Root,
            good.Path,
            "--json"
        );
        (int exitCode, string output, _) = await check.EndAsync();
        Assert.Equal(1, exitCode);
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([1, 1, 1, 1, 0], lines.Select(static l => JsonDocument.Parse(l).RootElement.GetProperty("errors").GetArrayLength()));
        Assert.Contains("[notebook-not-found]", lines[1], StringComparison.Ordinal);
        Assert.Contains("[notebook-invalid-json]", lines[2], StringComparison.Ordinal);
        Assert.Contains("[notebook-unreadable]", lines[3], StringComparison.Ordinal);
        Assert.Contains(
            "\"x\" -> \"y\"",
            await CliProcess.MustAsync(Server.Data, "notebook", "graph", good.Path, "--format", "dot"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "c0 -->|\"x\"| c1",
            await CliProcess.MustAsync(Server.Data, "notebook", "graph", good.Path, "--format", "mermaid"),
            StringComparison.Ordinal
        );

        using CliProcess folder = CliProcess.Start(Server.Data, "notebook", "watch", Server.Root);
        Assert.Contains("[notebook-unreadable]", (await folder.EndAsync()).Error, StringComparison.Ordinal);
    }

    private static Task SaidAsync(ReactiveBook book, string output) =>
        Patience.UntilAsync(() => Said(book) == output, $"the notebook said {output}");

    private static string? Said(ReactiveBook book)
    {
        try
        {
            return book.Output("y");
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null; // Being written.
        }
    }

    /// <summary>Puts another source into the first cell's place, as the file is now, by whatever way.</summary>
    private static void Change(ReactiveBook book, string source, Action<string> save)
    {
        book.Remember("x", source);
        save(book.Text());
    }
}
