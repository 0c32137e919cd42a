using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Clients;

/// <summary>
/// The classic Notebook of Debian, its kernels behind our door, in a real browser: what a person sees when the server dies in the middle of
/// a loop.
/// </summary>
public sealed class ClassicNotebookTests
{
    [Fact]
    public async Task A_loop_is_seen_whole_in_the_browser_although_the_server_is_killed_in_its_middle()
    {
        Outsiders.RequirePython("notebook");
        Outsiders.Require("chromium");
        Outsiders.RequireNode();
        await using TestServer holdfast = await TestServer.StartAsync(new TestServerOptions { KeepsPort = true });
        await using JupyterServer notebook = await JupyterServer.StartAsync(holdfast, "jupyter-notebook", "t0ken");
        string file = Path.Combine(notebook.Root, "classic.ipynb");
        File.WriteAllText(
            file,
            Notebooks.Of(
                "python3",
                "print('one')",
                "6 * 7",
                "print('hello ' + input('name? '))",
                "import time\nfor i in range(60):\n    print('line', i, flush=True)\n    time.sleep(.05)\nprint('the end')",
                "print('after')"
            )
        );
        await using var browser = OutsideProcess.Node(
            holdfast.Folder,
            "classic.cjs",
            notebook.Url,
            notebook.Token,
            "classic.ipynb",
            holdfast.Folder
        );

        string? kill = await browser.HearAsync("{\"kill\"");
        KeepPicture(holdfast);
        Assert.True(kill is not null, browser.Said + notebook.Log);
        await holdfast.RestartAsync();
        await browser.TellAsync("restarted");
        string? lines = await browser.HearAsync("{\"lines\"");
        KeepPicture(holdfast);
        Assert.True(lines is not null, browser.Said + notebook.Log);
        Assert.Equal(
            Enumerable.Range(0, 60).Select(static i => $"line {i}"),
            JsonNode.Parse(lines)!["lines"]!.AsArray().Select(static l => (string)l!)
        );
        await browser.MustSucceedAsync();
        KeepPicture(holdfast);
        Assert.Equal("after\n", Notebooks.Stream(Notebooks.Cells(file)[4]!, "stdout"));
    }

    /// <summary>Beside the suite's logs, for people to look at.</summary>
    private static void KeepPicture(TestServer holdfast)
    {
        string picture = holdfast.PathOf("classic.png");
        if (Environment.GetEnvironmentVariable("HOLDFAST_PICTURES") is { Length: > 0 } folder && File.Exists(picture))
        {
            File.Copy(picture, Path.Combine(folder, "classic.png"), overwrite: true);
        }
    }
}
