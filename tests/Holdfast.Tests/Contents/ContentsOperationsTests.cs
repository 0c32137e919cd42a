using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Holdfast.Engine;
using Holdfast.Engine.Contents;

namespace Holdfast.Tests.Contents;

/// <summary>The operations on files and folders, over a real folder.</summary>
public sealed class ContentsOperationsTests
{
    private const string Untrusted = """
        {"cells":[{"cell_type":"code","execution_count":1,"id":"c0","metadata":{},"outputs":[{"output_type":"display_data","data":{"text/html":"<b>"},"metadata":{}}],"source":"a\nb"}],
        "metadata":{"mine":{"kept":[1.50]}},"nbformat":4,"nbformat_minor":5}
        """;

    [Fact]
    public async Task Untitled_entries_are_numbered_as_Jupyter_numbers_them()
    {
        await using var room = new ContentsRoom();
        string[] made =
        [
            .. new (ContentsType? Type, string Extension)[]
            {
                (ContentsType.Notebook, ""),
                (ContentsType.Notebook, ""),
                (ContentsType.File, ".txt"),
                (ContentsType.File, ".txt"),
                (ContentsType.Directory, ""),
                (ContentsType.Directory, ""),
                (null, ""),
                (null, ".ipynb"),
            }.Select(w => room.Contents.CreateUntitled.Run(ContentsRoom.At(""), w.Type, w.Extension).Path.Text),
        ];
        Assert.Equal(
            [
                "Untitled.ipynb",
                "Untitled1.ipynb",
                "untitled.txt",
                "untitled1.txt",
                "Untitled Folder",
                "Untitled Folder 1",
                "untitled",
                "Untitled2.ipynb",
            ],
            made
        );
        Assert.Equal("{\n \"cells\": [],\n \"metadata\": {},\n \"nbformat\": 4,\n \"nbformat_minor\": 5\n}\n", room.Read("Untitled.ipynb"));
    }

    [Fact]
    public async Task Copies_are_numbered_and_a_copy_of_a_copy_is_named_after_the_first()
    {
        await using var room = new ContentsRoom();
        room.Write("a.tar.gz", "x");
        room.Write("n.b.ipynb", "{}");
        room.Write("sub/deep/f.txt", "f");
        File.SetUnixFileMode(room.PathOf("a.tar.gz"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Directory.CreateSymbolicLink(room.PathOf("sub/out"), room.Outside);
        string Copy(string from, string to) => room.Copy(from, to).Path.Text;
        Assert.Equal("a-Copy1.tar.gz", Copy("a.tar.gz", ""));
        Assert.Equal("a-Copy2.tar.gz", Copy("a-Copy1.tar.gz", ""));
        Assert.Equal("n.b-Copy1.ipynb", Copy("n.b.ipynb", ""));
        Assert.Equal("sub/a.tar.gz", Copy("a.tar.gz", "sub"));
        Assert.Equal("sub-Copy1", Copy("sub", ""));
        Assert.Equal("f", room.Read("sub-Copy1/deep/f.txt"));
        Assert.False(Path.Exists(room.PathOf("sub-Copy1/out")));
        Assert.Equal(File.GetUnixFileMode(room.PathOf("a.tar.gz")), File.GetUnixFileMode(room.PathOf("a-Copy1.tar.gz")));
        Assert.Equal(ErrorCodes.InvalidRequest, Assert.Throws<RefusedException>(() => Copy("sub", "sub/deep")).Code);
    }

    [Theory]
    [InlineData("a.txt", ContentsType.File)]
    [InlineData("n.ipynb", ContentsType.Notebook)]
    public async Task A_save_without_content_makes_what_is_not_there_and_empties_nothing_that_is(string name, ContentsType type)
    {
        await using var room = new ContentsRoom();
        var wanted = new ContentsToSave(ContentsRoom.At(name), type);
        Assert.True((await room.Contents.Save.RunAsync(wanted)).IsNew);
        room.Write(name, "precious");

        Assert.Equal(
            ErrorCodes.InvalidRequest,
            (await Assert.ThrowsAsync<RefusedException>(() => room.Contents.Save.RunAsync(wanted))).Code
        );

        Assert.Equal("precious", room.Read(name));
    }

    [Fact]
    public async Task A_file_is_text_when_it_is_UTF8_and_base64_when_not()
    {
        await using var room = new ContentsRoom();
        room.Write("a.md", "é");
        File.WriteAllBytes(room.PathOf("b"), [0xFF, 0xFE]);
        ContentsModel text = room.Get("a.md");
        Assert.Equal((ContentsFormat.Text, "text/markdown", "é"), (text.Format, text.MimeType, ContentsRoom.Text(text)));
        ContentsModel bytes = room.Get("b");
        Assert.Equal((ContentsFormat.Base64, "application/octet-stream"), (bytes.Format, bytes.MimeType));
        Assert.Equal(ErrorCodes.InvalidRequest, Refusal(new ContentsQuery(ContentsRoom.At("b")) { Format = ContentsFormat.Text }));
        Assert.Equal(ErrorCodes.InvalidRequest, Refusal(new ContentsQuery(ContentsRoom.At("b")) { Type = ContentsType.Directory }));
        Assert.Equal(ErrorCodes.InvalidRequest, Refusal(new ContentsQuery(ContentsRoom.At("")) { Type = ContentsType.File }));
        ContentsModel hashed = room.Contents.Get.Run(new ContentsQuery(ContentsRoom.At("b")) { WithContent = false, WithHash = true });
        Assert.Equal((Convert.ToHexStringLower(SHA256.HashData([0xFF, 0xFE])), null), (hashed.Hash, hashed.Content));

        string Refusal(ContentsQuery query) => Assert.Throws<RefusedException>(() => room.Contents.Get.Run(query)).Code;
    }

    [Fact]
    public async Task A_notebook_goes_to_clients_in_one_piece_and_to_the_file_as_lines_with_unknown_keys_kept()
    {
        await using var room = new ContentsRoom();
        room.SaveNotebook("n.ipynb", Untrusted);
        string file = room.Read("n.ipynb");
        Assert.Contains("\"source\": [\n    \"a\\n\",\n    \"b\"\n   ]", file, StringComparison.Ordinal);
        Assert.Contains("1.50", file, StringComparison.Ordinal);
        Assert.EndsWith("}\n", file, StringComparison.Ordinal);
        string sent = ContentsRoom.Text(room.Get("n.ipynb"));
        Assert.Equal("a\nb", (string?)JsonNode.Parse(sent)!["cells"]![0]!["source"]);
        room.SaveNotebook("n.ipynb", sent);
        Assert.Equal(file, room.Read("n.ipynb"));
    }

    [Fact]
    public async Task A_save_keeps_the_mode_and_writes_through_a_link()
    {
        await using var room = new ContentsRoom();
        room.Write("a.txt", "1");
        File.SetUnixFileMode(room.PathOf("a.txt"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(room.PathOf("link"), "a.txt");
        room.SaveText("link", "2");
        Assert.Equal("2", room.Read("a.txt"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(room.PathOf("a.txt")));
        Assert.NotNull(new FileInfo(room.PathOf("link")).LinkTarget);
    }

    [Fact]
    public async Task Saves_of_one_file_at_once_do_not_mix()
    {
        await using var room = new ContentsRoom();
        string[] versions = [.. Enumerable.Range(0, 4).Select(static i => new string((char)('a' + i), 300_000 + i))];
        await Parallel.ForAsync(
            0,
            40,
            TestContext.Current.CancellationToken,
            (i, _) =>
            {
                room.SaveText("f.txt", versions[i % versions.Length]);
                Assert.Contains(room.Read("f.txt"), versions);
                return ValueTask.CompletedTask;
            }
        );
        Assert.Empty(room.Leftovers());
    }

    [Fact]
    public async Task Nothing_is_replaced_by_a_rename_and_the_checkpoint_goes_along()
    {
        await using var room = new ContentsRoom();
        room.SaveNotebook("n.ipynb", Untrusted);
        room.Write("taken.ipynb", "mine");
        Assert.Equal(ErrorCodes.ContentsExists, (await Assert.ThrowsAsync<RefusedException>(() => Rename("n.ipynb", "taken.ipynb"))).Code);
        Assert.Equal(
            ErrorCodes.ContentsNotFound,
            (await Assert.ThrowsAsync<RefusedException>(() => Rename("n.ipynb", "none/n.ipynb"))).Code
        );
        Assert.Equal(ErrorCodes.ContentsNotFound, (await Assert.ThrowsAsync<RefusedException>(() => Rename("none", "other"))).Code);
        Assert.Equal(ErrorCodes.InvalidRequest, (await Assert.ThrowsAsync<RefusedException>(() => Rename("", "other"))).Code);
        Assert.Equal("mine", room.Read("taken.ipynb"));
        Directory.CreateDirectory(room.PathOf("sub"));
        Assert.Equal("sub/m.ipynb", (await Rename("n.ipynb", "sub/m.ipynb")).Path.Text);
        Assert.True(File.Exists(room.PathOf("sub/.ipynb_checkpoints/m-checkpoint.ipynb")));
        Assert.Equal("sub/m.ipynb", (await Rename("sub/m.ipynb", "sub/m.ipynb")).Path.Text);
        Assert.Equal(ErrorCodes.InvalidRequest, (await Assert.ThrowsAsync<RefusedException>(() => Rename("sub", "sub/sub"))).Code);

        Task<ContentsModel> Rename(string from, string to) => room.Contents.Rename.RunAsync(ContentsRoom.At(from), ContentsRoom.At(to));
    }

    [Fact]
    public async Task A_deleted_folder_can_be_taken_back_from_the_trash()
    {
        await using var room = new ContentsRoom();
        room.Write("sub/ä b.txt", "x");
        await room.Contents.Delete.RunAsync(ContentsRoom.At("sub"));
        Assert.Equal("x", File.ReadAllText(Path.Combine(room.TrashFolder, "files/sub/ä b.txt")));
        Assert.Contains(
            $"Path={room.PathOf("sub")}\n",
            File.ReadAllText(Path.Combine(room.TrashFolder, "info/sub.trashinfo")),
            StringComparison.Ordinal
        );
        room.Write("sub", "again");
        await room.Contents.Delete.RunAsync(ContentsRoom.At("sub"));
        Assert.Equal("again", File.ReadAllText(Path.Combine(room.TrashFolder, "files/sub.2")));
        Assert.Equal(
            ErrorCodes.ContentsNotFound,
            (await Assert.ThrowsAsync<RefusedException>(() => room.Contents.Delete.RunAsync(ContentsRoom.At("sub")))).Code
        );
        Assert.Equal(
            ErrorCodes.InvalidRequest,
            (await Assert.ThrowsAsync<RefusedException>(() => room.Contents.Delete.RunAsync(ContentsRoom.At("/")))).Code
        );
    }

    [Fact]
    public async Task Without_a_trash_only_empty_folders_are_deleted()
    {
        await using var room = new ContentsRoom();
        room.Open(hasTrash: false);
        room.Write("sub/f.txt", "x");
        room.Write("sub/.ipynb_checkpoints/f-checkpoint.txt", "x");
        Assert.Equal(
            ErrorCodes.FolderNotEmpty,
            (await Assert.ThrowsAsync<RefusedException>(() => room.Contents.Delete.RunAsync(ContentsRoom.At("sub")))).Code
        );
        await room.Contents.Delete.RunAsync(ContentsRoom.At("sub/f.txt"));
        Assert.Empty(Directory.EnumerateFiles(room.PathOf("sub/.ipynb_checkpoints")));
        await room.Contents.Delete.RunAsync(ContentsRoom.At("sub"));
        Assert.False(Directory.Exists(room.PathOf("sub")));
    }

    [Fact]
    public async Task A_checkpoint_is_made_restored_and_deleted()
    {
        await using var room = new ContentsRoom();
        room.Write("a.txt", "1");
        ContentsPath file = ContentsRoom.At("a.txt");
        Assert.Empty(room.Contents.ListCheckpoints.Run(file));
        Assert.Equal("checkpoint", (await room.Contents.CreateCheckpoint.RunAsync(file)).Id);
        room.SaveText("a.txt", "2");
        Assert.Single(room.Contents.ListCheckpoints.Run(file));
        Assert.Equal(
            ErrorCodes.CheckpointNotFound,
            Assert.Throws<RefusedException>(() => room.Contents.RestoreCheckpoint.Run(file, "other")).Code
        );
        await room.Contents.RestoreCheckpoint.RunAsync(file, "checkpoint");
        Assert.Equal("1", room.Read("a.txt"));
        room.Contents.DeleteCheckpoint.Run(file, "checkpoint");
        Assert.Equal(
            ErrorCodes.CheckpointNotFound,
            Assert.Throws<RefusedException>(() => room.Contents.DeleteCheckpoint.Run(file, "checkpoint")).Code
        );
        Assert.Equal(
            ErrorCodes.ContentsNotFound,
            Assert.Throws<RefusedException>(() => room.Contents.CreateCheckpoint.Run(ContentsRoom.At("none"))).Code
        );
    }

    [Fact]
    public async Task Only_a_notebook_can_be_trusted()
    {
        await using var room = new ContentsRoom();
        File.WriteAllText(Path.Combine(room.Root, "a.txt"), "x");
        Assert.Equal(
            ErrorCodes.InvalidRequest,
            Assert.Throws<RefusedException>(() => room.Contents.Trust.Run(ContentsRoom.At("a.txt"))).Code
        );
    }

    [Fact]
    public async Task A_notebook_is_trusted_until_somebody_else_writes_it()
    {
        await using var room = new ContentsRoom();
        room.SaveNotebook("n.ipynb", Untrusted);
        Assert.False(IsTrusted());
        room.Contents.Trust.Run(ContentsRoom.At("n.ipynb"));
        Assert.True(IsTrusted());
        room.SaveNotebook("n.ipynb", ContentsRoom.Text(room.Get("n.ipynb")).Replace("\"a\\nb\"", "\"c\"", StringComparison.Ordinal));
        Assert.True(IsTrusted()); // Every cell was marked as trusted by the client that saved it.
        Assert.DoesNotContain("trusted", room.Read("n.ipynb"), StringComparison.Ordinal);
        room.Write("n.ipynb", room.Read("n.ipynb").Replace("<b>", "<script>", StringComparison.Ordinal));
        Assert.False(IsTrusted());

        bool IsTrusted() => (bool)JsonNode.Parse(ContentsRoom.Text(room.Get("n.ipynb")))!["cells"]![0]!["metadata"]!["trusted"]!;
    }

    [Fact]
    public async Task A_notebook_that_is_no_JSON_is_refused_with_the_place()
    {
        await using var room = new ContentsRoom();
        room.Write("n.ipynb", "{\n \"cells\": [}");
        RefusedException refusal = Assert.Throws<RefusedException>(() => room.Get("n.ipynb"));
        Assert.Equal(ErrorCodes.NotebookInvalidJson, refusal.Code);
        Assert.Contains("line 2", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(
            Encoding.UTF8.GetByteCount("{\n \"cells\": [}"),
            ContentsRoom.Text(room.Contents.Get.Run(new ContentsQuery(ContentsRoom.At("n.ipynb")) { Type = ContentsType.File })).Length
        );
    }
}
