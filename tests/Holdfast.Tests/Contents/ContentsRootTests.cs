using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine;
using Holdfast.Engine.Contents;

namespace Holdfast.Tests.Contents;

/// <summary>
/// Goal: no path leads out of the root. Method: every path that can be put together from the pieces that have led out of roots elsewhere,
/// against a real tree with links in and out.
/// </summary>
public sealed class ContentsRootTests
{
    private static readonly string[] Segments =
    [
        "",
        ".",
        "..",
        "...",
        "a",
        "b.txt",
        "out",
        "outfile",
        "in",
        "self",
        "up",
        "abs",
        "dangling",
        ".hidden",
        "%2e%2e",
        "..%2f",
        "\0",
        "a\0",
        "~",
        "\\..",
        "etc",
        "passwd",
        "secret.txt",
        "outside",
        "é",
    ];

    [Fact]
    public async Task No_path_leads_out_of_the_root()
    {
        await using ContentsRoom room = Tree();
        var root = new ContentsRoot(room.Root, allowsHidden: true);
        Gen<string> paths = Gen.Elements(Segments).ListOf().Select(static s => string.Join('/', s));
        Prop.ForAll(paths.ToArbitrary(), path => StaysInside(room, root, path)).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    [Theory]
    [InlineData("../outside/secret.txt")]
    [InlineData("a/../../outside/secret.txt")]
    [InlineData("out/secret.txt")]
    [InlineData("outfile")]
    [InlineData("up/outside/secret.txt")]
    [InlineData("abs/outside/secret.txt")]
    [InlineData("self/self/out/secret.txt")]
    [InlineData("b.txt\0")]
    [InlineData("dangling")]
    [InlineData("loop")]
    [InlineData("pipe")]
    public async Task What_is_outside_is_not_there(string path)
    {
        await using ContentsRoom room = Tree();
        Assert.Equal(ErrorCodes.ContentsNotFound, Assert.Throws<RefusedException>(() => room.Get(path)).Code);
    }

    [Fact]
    public async Task Links_within_the_root_are_followed_absolute_ones_too()
    {
        await using ContentsRoom room = Tree();
        File.CreateSymbolicLink(room.PathOf("absolute"), room.PathOf("a"));
        Assert.Equal("b", ContentsRoom.Text(room.Get("in/c.txt")));
        Assert.Equal("b", ContentsRoom.Text(room.Get("absolute/c.txt")));
        room.SaveText("in/c.txt", "new");
        Assert.Equal("new", room.Read("a/c.txt"));
    }

    [Fact]
    public async Task A_list_shows_nothing_that_cannot_be_reached()
    {
        await using ContentsRoom room = Tree();
        Directory.CreateDirectory(room.PathOf("__pycache__"));
        room.Write("old.txt~", "");
        var list = (ContentsBody.Listing)room.Get("").Content!;
        Assert.Equal(["a", "b.txt", "in", "self"], list.Entries.Select(static e => e.Path.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Hidden_files_are_not_there_unless_they_are_served()
    {
        await using ContentsRoom room = Tree();
        Assert.Equal(ErrorCodes.ContentsNotFound, Assert.Throws<RefusedException>(() => room.Get(".hidden")).Code);
        Assert.Equal(ErrorCodes.InvalidRequest, Assert.Throws<RefusedException>(() => room.SaveText("a/.new", "")).Code);
        Assert.Equal(
            ErrorCodes.InvalidRequest,
            (await Assert.ThrowsAsync<RefusedException>(() => room.Contents.Delete.RunAsync(ContentsRoom.At(".hidden")))).Code
        );
        Assert.Equal(
            ErrorCodes.InvalidRequest,
            (
                await Assert.ThrowsAsync<RefusedException>(() =>
                    room.Contents.Rename.RunAsync(ContentsRoom.At("b.txt"), ContentsRoom.At(".b"))
                )
            ).Code
        );
        room.Open(allowsHidden: true);
        Assert.Equal("h", ContentsRoom.Text(room.Get(".hidden")));
    }

    [Fact]
    public async Task Writing_never_reaches_outside_either()
    {
        await using ContentsRoom room = Tree();
        foreach (string path in (string[])["outfile", "out/secret.txt", "out/new.txt", "up/outside/new.txt"])
        {
            Assert.Throws<RefusedException>(() => room.SaveText(path, "changed"));
        }

        room.SaveText("dangling", "here"); // The link itself is replaced.
        await room.Contents.Delete.RunAsync(ContentsRoom.At("out"));
        Assert.Equal(["secret.txt"], Directory.EnumerateFileSystemEntries(room.Outside).Select(Path.GetFileName));
        Assert.Equal(ContentsRoom.Secret, File.ReadAllText(Path.Combine(room.Outside, "secret.txt")));
        Assert.Equal("here", room.Read("dangling"));
    }

    [Fact]
    public async Task A_folder_that_is_swapped_for_a_link_in_the_middle_is_not_followed()
    {
        await using ContentsRoom room = Tree();
        room.Write("swap/secret.txt", "inside");
        using var stop = new CancellationTokenSource();
        Task swapping = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    Directory.Move(room.PathOf("swap"), room.PathOf("away"));
                    File.CreateSymbolicLink(room.PathOf("swap"), room.Outside);
                    File.Delete(room.PathOf("swap"));
                    Directory.Move(room.PathOf("away"), room.PathOf("swap"));
                }
            },
            TestContext.Current.CancellationToken
        );
        for (int i = 0; i < 3000; i++)
        {
            try
            {
                Assert.Equal("inside", ContentsRoom.Text(room.Get("swap/secret.txt")));
                room.SaveText("swap/secret.txt", "inside");
            }
            catch (RefusedException)
            {
                // Not there at that moment.
            }
        }

        await stop.CancelAsync();
        await swapping;
        Assert.Equal(ContentsRoom.Secret, File.ReadAllText(Path.Combine(room.Outside, "secret.txt")));
        Assert.Single(Directory.EnumerateFileSystemEntries(room.Outside));
    }

    private static bool StaysInside(ContentsRoom room, ContentsRoot root, string path)
    {
        try
        {
            ContentsPath parsed = ContentsPath.Parse(path);
            using Place place = root.Locate(parsed);
            bool isInside = place.RealPath == room.Root || place.RealPath.StartsWith(room.Root + "/", StringComparison.Ordinal);
            return isInside
                && (
                    !place.IsFile
                    || ContentsRoom.Text(room.Open(allowsHidden: true).Get.Run(new ContentsQuery(parsed))) != ContentsRoom.Secret
                );
        }
        catch (RefusedException refusal)
        {
            return refusal.Code == ErrorCodes.ContentsNotFound;
        }
    }

    private static ContentsRoom Tree()
    {
        var room = new ContentsRoom();
        room.Write("a/c.txt", "b");
        room.Write("b.txt", "b");
        room.Write(".hidden", "h");
        File.CreateSymbolicLink(room.PathOf("out"), room.Outside);
        File.CreateSymbolicLink(room.PathOf("outfile"), Path.Combine(room.Outside, "secret.txt"));
        File.CreateSymbolicLink(room.PathOf("in"), "a");
        File.CreateSymbolicLink(room.PathOf("self"), ".");
        File.CreateSymbolicLink(room.PathOf("up"), "..");
        File.CreateSymbolicLink(room.PathOf("abs"), Path.GetDirectoryName(room.Root)!);
        File.CreateSymbolicLink(room.PathOf("dangling"), Path.Combine(room.Outside, "none"));
        File.CreateSymbolicLink(room.PathOf("loop"), "loop");
        Assert.Equal(0, MakePipe(room.PathOf("pipe")));
        return room;
    }

    private static int MakePipe(string path)
    {
        using var made = System.Diagnostics.Process.Start("mkfifo", [path]);
        made.WaitForExit();
        return made.ExitCode;
    }
}
