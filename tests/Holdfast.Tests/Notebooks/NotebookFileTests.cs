using System.Text;
using System.Text.Json.Nodes;
using Holdfast.Engine;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Notebooks.Outputs;
using Holdfast.Protocol.Processes;

namespace Holdfast.Tests.Notebooks;

public sealed class NotebookFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("holdfast-notebooks").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string> Golden() =>
        [
            "executed.ipynb",
            "minor-4.ipynb",
            "empty.ipynb",
            "indent-2.ipynb",
            "indent-4-ascii.ipynb",
            "tabs.ipynb",
            "one-line.ipynb",
            "compact.ipynb",
            "crlf.ipynb",
            "odd.ipynb",
            "recorded.before.ipynb",
            "recorded.after.ipynb",
        ];

    [Theory]
    [MemberData(nameof(Golden))]
    public void A_notebook_that_nobody_changed_is_saved_byte_for_byte(string name)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, GoldenNotebooks.Bytes(name));

        NotebookFile notebook = NotebookFile.Load(path);
        Assert.False(notebook.IsChanged);
        notebook.Save();

        Assert.Equal(GoldenNotebooks.Bytes(name), File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder));
    }

    [Theory]
    [MemberData(nameof(Golden))]
    public void A_change_and_its_reverse_leave_every_other_byte(string name)
    {
        NotebookFile notebook = NotebookFile.Parse(GoldenNotebooks.Bytes(name), name);
        foreach (NotebookCell cell in notebook.Cells.Where(cell => cell.IsCode))
        {
            cell.SetMark(new CellMark("x", "running"));
        }

        string changed = Encoding.UTF8.GetString(notebook.ToBytes());
        string[] before = Encoding.UTF8.GetString(GoldenNotebooks.Bytes(name)).Split('\n');
        string[] after = changed.Split('\n');

        // Every line that was there is there still, in order, but for those a mark was put into (an empty metadata becomes several lines).
        int at = 0;
        foreach (string line in before.Where(line => !line.Contains("\"metadata\"", StringComparison.Ordinal)))
        {
            int found = Array.FindIndex(after, at, other => other.TrimEnd(',', '\r') == line.TrimEnd(',', '\r'));
            Assert.True(found >= at, $"lost: {line}");
            at = found + 1;
        }

        _ = NotebookFile.Parse(Encoding.UTF8.GetBytes(changed), name);
    }

    [Fact]
    public void What_is_set_looks_as_nbformat_writes_it()
    {
        NotebookFile notebook = Of(
            """{"cells": [{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {}, "outputs": [], "source": []}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}""",
            indent: " "
        );
        OutputFold fold = new(new DisplayRegistry());
        fold.ApplyIoPub("execute_input", "2026-01-01T00:00:00.000001Z", """{"execution_count": 7}"""u8);
        fold.ApplyIoPub("stream", null, """{"name": "stdout", "text": "a\né <b>\u0001\"\\\u2028x"}"""u8);
        notebook.Cells[0].SetResult(fold);
        notebook.Cells[0].SetMark(new CellMark("01J", "succeeded"));

        Assert.Equal(
            """
            {
             "cells": [
              {
               "cell_type": "code",
               "execution_count": 7,
               "id": "a",
               "metadata": {
                "execution": {
                 "iopub.execute_input": "2026-01-01T00:00:00.000001Z"
                },
                "holdfast": {
                 "executionId": "01J",
                 "state": "succeeded"
                }
               },
               "outputs": [
                {
                 "name": "stdout",
                 "output_type": "stream",
                 "text": [
                  "a\n",
                  "é <b>\u0001\"\\§",
                  "x"
                 ]
                }
               ],
               "source": []
              }
             ],
             "metadata": {},
             "nbformat": 4,
             "nbformat_minor": 5
            }
            """.Replace('§', '\u2028'),
            Text(notebook)
        );
    }

    [Theory]
    [InlineData(
        """{"nbformat":4,"nbformat_minor":4,"metadata":{},"cells":[{"cell_type":"code","metadata":{},"source":"x","outputs":[],"execution_count":1}]}""",
        """{"nbformat":4,"nbformat_minor":4,"metadata":{},"cells":[{"cell_type":"code","metadata":{"holdfast":{"executionId":"e","state":"lost"}},"source":"x","outputs":[],"execution_count":null}]}"""
    )]
    [InlineData(
        """{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [{"cell_type": "code", "metadata": {"zoo": 1, "a": 2}, "source": "x", "outputs": [], "execution_count": 1}]}""",
        """{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [{"cell_type": "code", "metadata": {"zoo": 1, "a": 2, "holdfast": {"executionId": "e", "state": "lost"}}, "source": "x", "outputs": [], "execution_count": null}]}"""
    )]
    public void A_file_on_one_line_stays_on_one_line(string before, string after)
    {
        NotebookFile notebook = Parse(before);
        notebook.Cells[0].SetMark(new CellMark("e", "lost"));
        notebook.Cells[0].SetExecutionCount(null);

        Assert.Equal(after, Text(notebook));
    }

    [Theory]
    [InlineData(
        0,
        """[{"cell_type": "code", "execution_count": null, "metadata": {"tags": []}, "outputs": [], "source": ["x"]}, {"cell_type": "raw", "source": ""}]"""
    )]
    [InlineData(
        1,
        """[{"cell_type": "raw", "source": ""}, {"cell_type": "code", "execution_count": null, "metadata": {"tags": []}, "outputs": [], "source": ["x"]}]"""
    )]
    public void A_cell_inserted_into_one_line_is_spaced_as_its_neighbours(int index, string cells)
    {
        NotebookFile notebook = Parse("""{"nbformat": 4, "nbformat_minor": 4, "cells": [{"cell_type": "raw", "source": ""}]}""");
        _ = notebook.InsertCodeCell(index, "x", []);
        Assert.Equal($$"""{"nbformat": 4, "nbformat_minor": 4, "cells": {{cells}}}""", Text(notebook));
    }

    [Fact]
    public void Of_a_repeated_name_the_last_is_read_and_set()
    {
        NotebookFile notebook = Parse(
            """{"nbformat":4,"nbformat_minor":4,"cells":[{"cell_type":"code","source":"old","source":"new","execution_count":1,"execution_count":2}]}"""
        );
        Assert.Equal(("new", 2), (notebook.Cells[0].Source, notebook.Cells[0].ExecutionCount));
        notebook.Cells[0].SetExecutionCount(3);
        Assert.Contains("\"execution_count\":1,\"execution_count\":3}", Text(notebook), StringComparison.Ordinal);
    }

    [Fact]
    public void A_mark_is_read_back_and_a_strange_one_is_none()
    {
        NotebookFile notebook = Of(
            """{"cells": [{"cell_type": "code", "metadata": {"holdfast": 3}, "source": ""}], "metadata": {}, "nbformat": 4, "nbformat_minor": 2}""",
            " "
        );
        Assert.Null(notebook.Cells[0].Mark);
        notebook.Cells[0].SetMark(new CellMark("e", "running"));
        Assert.Equal(new CellMark("e", "running"), Parse(Text(notebook)).Cells[0].Mark);
    }

    [Fact]
    public void Source_is_the_same_as_a_string_or_as_lines()
    {
        NotebookFile notebook = Parse(
            """
            {"cells": [{"cell_type": "code", "metadata": {}, "source": "a\n\u00e9\ud83c\udf89\/"}, {"cell_type": "code", "metadata": {}, "source": ["a\n", "\u00e9🎉/"]}],
             "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
            """
        );
        Assert.Equal("a\né🎉/", notebook.Cells[0].Source);
        Assert.Equal(notebook.Cells[0].Source, notebook.Cells[1].Source);
    }

    [Fact]
    public void Cells_of_4_5_without_an_id_get_one_which_stays_the_same()
    {
        const string text = """
            {"cells": [{"cell_type": "code", "metadata": {}, "source": "a"}, {"cell_type": "code", "metadata": {}, "source": "a"},
             {"cell_type": "code", "id": "kept", "metadata": {}, "source": "a"}, {"cell_type": "code", "id": "kept", "metadata": {}, "source": "b"}],
             "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
            """;
        NotebookFile notebook = Parse(text);
        Assert.True(notebook.IsChanged);
        Assert.All([0, 1, 3], index => Assert.Matches("^[0-9a-f]{8}$", notebook.Cells[index].Id));
        Assert.Equal("kept", notebook.Cells[2].Id);
        Assert.Equal(4, notebook.Cells.Select(cell => cell.Id).Distinct().Count());
        Assert.Equal(notebook.Cells.Select(cell => cell.Id), Parse(text).Cells.Select(cell => cell.Id));
        Assert.Equal(notebook.Cells.Select(cell => cell.Id), Parse(Text(notebook)).Cells.Select(cell => cell.Id));
        Assert.False(Parse(Text(notebook)).IsChanged);
    }

    [Fact]
    public void Cells_before_4_5_get_no_id()
    {
        NotebookFile notebook = NotebookFile.Parse(GoldenNotebooks.Bytes("minor-4.ipynb"), "n");
        _ = notebook.InsertCodeCell(0, "x", []);
        Assert.All(notebook.Cells, cell => Assert.Null(cell.Id));
        Assert.DoesNotContain("\"id\"", Text(notebook), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_cell_is_inserted_where_it_is_asked_for_and_the_others_keep_their_text(int index)
    {
        foreach (
            string name in new[] { "indent-2.ipynb", "indent-4-ascii.ipynb", "tabs.ipynb", "one-line.ipynb", "compact.ipynb", "crlf.ipynb" }
        )
        {
            string before = Encoding.UTF8.GetString(GoldenNotebooks.Bytes(name));
            NotebookFile notebook = NotebookFile.Parse(GoldenNotebooks.Bytes(name), name);
            NotebookCell cell = notebook.InsertCodeCell(index, "y = 2\nz", ["t"]);

            NotebookFile again = Parse(Text(notebook));
            Assert.Equal([0, 1, 2], notebook.Cells.Select(each => each.Index));
            Assert.Equal("y = 2\nz", again.Cells[index].Source);
            Assert.Equal(["t"], again.Cells[index].Tags);
            Assert.Equal(cell.Id, again.Cells[index].Id);
            Assert.Equal(
                before.Contains('\r', StringComparison.Ordinal),
                Text(notebook).Replace("\r\n", "", StringComparison.Ordinal) is var rest
                    && !rest.Contains('\n', StringComparison.Ordinal)
                    && rest != Text(notebook)
            );

            // The same JSON with the new cell taken out, in the same layout: what was there has not moved.
            JsonObject tree = JsonNode.Parse(Text(notebook))!.AsObject();
            tree["cells"]!.AsArray().RemoveAt(index);
            Assert.True(JsonNode.DeepEquals(tree, JsonNode.Parse(before)), name);
        }
    }

    [Theory]
    [InlineData("{\"nbformat\": 4,\n \"metadata\": é}", "notebook-invalid-json", "line 2, column 14 (byte 29): a value was expected")]
    [InlineData("", "notebook-invalid-json", "line 1, column 1 (byte 0): the file is empty")]
    [InlineData("{\"a\": [1, 2}", "notebook-invalid-json", "column 12 (byte 11): a comma or ] was expected")]
    [InlineData("{\"a\": 1,}", "notebook-invalid-json", "(byte 8): a name in double quotes")]
    [InlineData("{\"a\": 01}", "notebook-invalid-json", "(byte 7): a comma or }")]
    [InlineData("{\"a\": \"x\n\"}", "notebook-invalid-json", "(byte 8): a control character")]
    [InlineData("{\"a\": \"\\x\"}", "notebook-invalid-json", "(byte 7): this escape")]
    [InlineData("{\"a\": \"x", "notebook-invalid-json", "(byte 6): a string that starts here is not closed")]
    [InlineData("{} x", "notebook-invalid-json", "(byte 3): something follows")]
    [InlineData("[1]", "notebook-invalid", "is not an object")]
    [InlineData("{\"cells\": []}", "notebook-invalid", "nbformat is missing")]
    [InlineData("{\"nbformat\": \"4\"}", "notebook-invalid", "nbformat is missing or not a number")]
    [InlineData("{\"nbformat\": 3, \"worksheets\": []}", "notebook-unsupported-format", "nbformat 3")]
    [InlineData("{\"nbformat\": 5, \"nbformat_minor\": 0}", "notebook-unsupported-format", "nbformat 5")]
    [InlineData("{\"nbformat\": 4}", "notebook-invalid", "nbformat_minor")]
    [InlineData("{\"nbformat\": 4, \"nbformat_minor\": 5}", "notebook-invalid", "cells is missing")]
    [InlineData("{\"nbformat\": 4, \"nbformat_minor\": 5, \"cells\": {}}", "notebook-invalid", "cells is not a list")]
    [InlineData(
        "{\"nbformat\": 4, \"nbformat_minor\": 5, \"metadata\": [], \"cells\": []}",
        "notebook-invalid",
        "metadata is not an object"
    )]
    [InlineData(
        "{\"nbformat\": 4, \"nbformat_minor\": 5, \"cells\": [{\"cell_type\": \"raw\", \"source\": \"\"}, 1]}",
        "notebook-invalid",
        "cell 1: cell is not an object"
    )]
    [InlineData("{\"nbformat\": 4, \"nbformat_minor\": 5, \"cells\": [{\"source\": \"\"}]}", "notebook-invalid", "cell 0: cell_type")]
    [InlineData(
        "{\"nbformat\": 4, \"nbformat_minor\": 5, \"cells\": [{\"cell_type\": \"code\"}]}",
        "notebook-invalid",
        "cell 0: source is missing"
    )]
    [InlineData(
        "{\"nbformat\": 4, \"nbformat_minor\": 5, \"cells\": [{\"cell_type\": \"code\", \"source\": [1]}]}",
        "notebook-invalid",
        "cell 0: source holds"
    )]
    [InlineData(
        "{\"nbformat\": 4, \"nbformat_minor\": 5, \"cells\": [{\"cell_type\": \"code\", \"source\": \"\\ud800\"}]}",
        "notebook-invalid",
        "cell 0: source holds half"
    )]
    [InlineData(
        "{\"nbformat\": 4, \"nbformat_minor\": 5, \"cells\": [{\"cell_type\": \"code\", \"source\": \"\", \"metadata\": 1}]}",
        "notebook-invalid",
        "cell 0: metadata"
    )]
    [InlineData(
        "{\"nbformat\": 4, \"nbformat_minor\": 5, \"cells\": [{\"cell_type\": \"code\", \"source\": \"\", \"outputs\": {}}]}",
        "notebook-invalid",
        "cell 0: outputs"
    )]
    [InlineData(
        "{\"nbformat\": 4, \"nbformat_minor\": 5, \"cells\": [{\"cell_type\": \"code\", \"source\": \"\", \"id\": 5}]}",
        "notebook-invalid",
        "cell 0: id"
    )]
    public void A_bad_notebook_is_refused_with_its_code_and_place(string text, string code, string message)
    {
        RefusedException refused = Assert.Throws<RefusedException>(() => Parse(text));
        Assert.Equal(code, refused.Code);
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused_with_their_place()
    {
        RefusedException refused = Assert.Throws<RefusedException>(() =>
            NotebookFile.Parse(new byte[] { (byte)'{', (byte)'"', 0xC3, (byte)'"' }, "n")
        );
        Assert.Equal(ErrorCodes.NotebookInvalidJson, refused.Code);
        Assert.Contains("(byte 2)", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_without_end_is_refused_and_not_followed()
    {
        RefusedException refused = Assert.Throws<RefusedException>(() => Parse(new string('[', 1_000_000)));
        Assert.Contains("500 levels", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_notebook_and_a_folder_are_told_apart()
    {
        Assert.Equal(
            ErrorCodes.NotebookNotFound,
            Assert.Throws<RefusedException>(() => NotebookFile.Load(Path.Combine(_folder, "none.ipynb"))).Code
        );
        Assert.Equal(
            ErrorCodes.NotebookNotFound,
            Assert.Throws<RefusedException>(() => NotebookFile.Load(Path.Combine(_folder, "no", "none.ipynb"))).Code
        );
        Assert.Equal(ErrorCodes.NotebookUnreadable, Assert.Throws<RefusedException>(() => NotebookFile.Load(_folder)).Code);
    }

    [Fact]
    public void A_save_keeps_the_mode_and_goes_through_a_link()
    {
        string real = Path.Combine(_folder, "real.ipynb");
        string link = Path.Combine(_folder, "link.ipynb");
        File.WriteAllBytes(real, GoldenNotebooks.Bytes("tabs.ipynb"));
        const UnixFileMode mode =
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(real, mode);
        _ = File.CreateSymbolicLink(link, "real.ipynb");

        NotebookFile notebook = NotebookFile.Load(link);
        notebook.Cells[0].SetExecutionCount(9);
        notebook.Save();

        Assert.NotNull(new FileInfo(link).LinkTarget);
        Assert.Contains("\"execution_count\": 9", File.ReadAllText(real), StringComparison.Ordinal);
        Assert.Equal(mode, File.GetUnixFileMode(real));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder).Length);
    }

    [Fact]
    public void A_save_keeps_the_owner_where_it_may()
    {
        Assert.SkipUnless(Environment.UserName == "root", "only root may give a file away");
        string path = Path.Combine(_folder, "n.ipynb");
        File.WriteAllBytes(path, GoldenNotebooks.Bytes("tabs.ipynb"));
        using (FileStream file = File.OpenWrite(path))
        {
            (FileStatus.Of(path)!.Value with { UserId = 65534, GroupId = 65533 }).ApplyOwner(file.SafeFileHandle);
        }

        NotebookFile.Load(path).Save();

        FileStatus after = FileStatus.Of(path)!.Value;
        Assert.Equal((65534u, 65533u), (after.UserId, after.GroupId));
    }

    [Fact]
    public void A_notebook_that_is_gone_is_written_again_and_a_copy_is_made_where_nothing_was()
    {
        string path = Path.Combine(_folder, "n.ipynb");
        string copy = Path.Combine(_folder, "copy.ipynb");
        string dangling = Path.Combine(_folder, "dangling.ipynb");
        File.WriteAllBytes(path, GoldenNotebooks.Bytes("tabs.ipynb"));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _ = File.CreateSymbolicLink(dangling, "target.ipynb");
        NotebookFile notebook = NotebookFile.Load(path);
        File.Delete(path);

        notebook.Save();
        notebook.SaveCopy(copy);
        notebook.SaveCopy(dangling);

        Assert.All(
            [path, copy, Path.Combine(_folder, "target.ipynb")],
            each => Assert.Equal(GoldenNotebooks.Bytes("tabs.ipynb"), File.ReadAllBytes(each))
        );
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.False(notebook.IsChangedOnDisk());
    }

    [Fact]
    public void A_save_that_cannot_be_made_leaves_the_old_notebook()
    {
        string path = Path.Combine(_folder, "n.ipynb");
        File.WriteAllBytes(path, GoldenNotebooks.Bytes("tabs.ipynb"));
        NotebookFile notebook = NotebookFile.Load(path);
        notebook.Cells[0].SetExecutionCount(9);

        // A folder of the target's name: the rename fails after all else has gone well, for root too.
        File.Delete(path);
        _ = Directory.CreateDirectory(Path.Combine(path, "inside"));
        RefusedException refused = Assert.Throws<RefusedException>(() => notebook.SaveCopy(path));

        Assert.Equal(ErrorCodes.NotebookNotWritable, refused.Code);
        Assert.True(notebook.IsChanged);
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void A_leftover_of_a_crashed_save_is_replaced_and_a_planted_link_not_followed()
    {
        string path = Path.Combine(_folder, "n.ipynb");
        string victim = Path.Combine(_folder, "victim");
        File.WriteAllBytes(path, GoldenNotebooks.Bytes("tabs.ipynb"));
        File.WriteAllText(victim, "untouched");
        NotebookFile notebook = NotebookFile.Load(path);
        string mark = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("n.ipynb"u8)[..8]);
        _ = File.CreateSymbolicLink(Path.Combine(_folder, $".holdfast-{mark}.tmp"), victim);

        notebook.Save();

        Assert.Equal("untouched", File.ReadAllText(victim));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder).Length);
    }

    [Fact]
    public void It_is_seen_when_somebody_else_has_written_the_file()
    {
        string path = Path.Combine(_folder, "n.ipynb");
        File.WriteAllBytes(path, GoldenNotebooks.Bytes("tabs.ipynb"));
        NotebookFile notebook = NotebookFile.Load(path);
        Assert.False(notebook.IsChangedOnDisk());
        notebook.Save();
        Assert.False(notebook.IsChangedOnDisk());

        File.AppendAllText(path, "\n");
        Assert.True(notebook.IsChangedOnDisk());
    }

    [Fact]
    public void Kernel_and_language_are_read_from_the_metadata()
    {
        NotebookFile notebook = NotebookFile.Parse(GoldenNotebooks.Bytes("executed.ipynb"), "n");
        Assert.Equal(("python3", "python"), (notebook.KernelName, notebook.Language));
        NotebookFile bare = NotebookFile.Parse(GoldenNotebooks.Bytes("empty.ipynb"), "n");
        Assert.Equal((null, null), (bare.KernelName, bare.Language));
        bare.SetLanguageInfo("""{"version": "3", "name": "python"}"""u8);
        Assert.Equal("python", Parse(Text(bare)).Language);
        Assert.Contains("\"name\": \"python\",\n   \"version\": \"3\"", Text(bare), StringComparison.Ordinal);
    }

    private static NotebookFile Parse(string text) => NotebookFile.Parse(Encoding.UTF8.GetBytes(text), "n.ipynb");

    private static string Text(NotebookFile notebook) => Encoding.UTF8.GetString(notebook.ToBytes());

    /// <summary>The JSON, laid out as Python's json.dumps(indent=…) does.</summary>
    private static NotebookFile Of(string json, string indent)
    {
        System.Text.Json.JsonWriterOptions options = new()
        {
            Indented = true,
            IndentSize = indent.Length,
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using MemoryStream text = new();
        using (System.Text.Json.Utf8JsonWriter writer = new(text, options))
        {
            JsonNode.Parse(json)!.WriteTo(writer);
        }

        return NotebookFile.Parse(text.ToArray(), "n.ipynb");
    }
}
