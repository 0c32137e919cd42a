using Holdfast.Engine;
using Holdfast.Engine.Contents;
using Holdfast.Engine.Notebooks;
using Holdfast.Protocol.Processes;

namespace Holdfast.Tests.Notebooks;

/// <summary>Saving into a notebook that another program saves, too.</summary>
public sealed class NotebookUpdateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("holdfast-").FullName;

    private string NotebookPath => Path.Combine(_folder, "n.ipynb");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_an_editor_saves_between_reading_and_writing_is_not_undone(bool byRename)
    {
        Write("x = 1", byRename);
        int calls = 0;
        NotebookFile saved = NotebookFile.Update(
            NotebookPath,
            notebook =>
            {
                if (++calls == 1)
                {
                    Write("x = 'typed meanwhile'", byRename);
                }

                notebook.Cells[0].SetMark(new CellMark("e", "succeeded"));
            }
        );

        Assert.Equal(2, calls);
        Assert.Equal("x = 'typed meanwhile'", saved.Cells[0].Source);
        string text = File.ReadAllText(NotebookPath);
        Assert.Contains("typed meanwhile", text, StringComparison.Ordinal);
        Assert.Contains("succeeded", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_that_never_stops_saving_keeps_its_file_and_we_say_so()
    {
        Write("x = 0", byRename: true);
        int calls = 0;
        RefusedException refused = Assert.ThrowsAny<RefusedException>(() =>
            NotebookFile.Update(
                NotebookPath,
                notebook =>
                {
                    Write($"x = {++calls:000000}", byRename: true);
                    notebook.Cells[0].SetMark(new CellMark("e", "succeeded"));
                }
            )
        );

        Assert.Equal(ErrorCodes.NotebookBusy, refused.Code);
        Assert.Contains($"x = {calls:000000}", File.ReadAllText(NotebookPath), StringComparison.Ordinal);
        Assert.Equal([NotebookPath], Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_an_editor_saves_at_the_very_last_moment_is_not_undone_either(bool byRename)
    {
        Write("x = 1", byRename);
        FileStatus expected = FileStatus.Of(NotebookPath)!.Value;
        string ours = Path.Combine(_folder, "ours");
        File.WriteAllText(ours, "ours");
        Write("x = 'typed meanwhile'", byRename);

        Assert.False(WholeFile.TryReplace(ours, NotebookPath, expected));
        Assert.Contains("typed meanwhile", File.ReadAllText(NotebookPath), StringComparison.Ordinal);
        File.WriteAllText(ours, "ours");
        Assert.True(WholeFile.TryReplace(ours, NotebookPath, FileStatus.Of(NotebookPath)!.Value));
        Assert.Equal("ours", File.ReadAllText(NotebookPath));
        Assert.Equal([NotebookPath], Directory.GetFiles(_folder));
    }

    /// <summary>
    /// Goal: a server that dies while two files change places costs nobody his save. Method: what each such death leaves, made by hand, and
    /// then the notebook is read: before the exchange, after it, after one that brought out somebody's save, and the same when he has saved
    /// once more since.
    /// </summary>
    [Theory]
    [InlineData(false, false, false, "before")]
    [InlineData(false, true, false, "ours")]
    [InlineData(true, true, false, "theirs")]
    [InlineData(true, true, true, "once more")]
    public void What_is_left_of_an_exchange_whose_server_died_is_settled_when_the_notebook_is_next_read(
        bool isOvertaken,
        bool isExchanged,
        bool isSavedAgain,
        string stands
    )
    {
        Write("before", byRename: true);
        FileStatus expected = FileStatus.Of(NotebookPath)!.Value;
        string draft = Path.Combine(_folder, "draft");
        File.Move(NotebookPath, draft);
        Write("ours", byRename: true);
        string ours = InterruptedExchange.NameOf(NotebookPath, FileStatus.Of(NotebookPath)!.Value, expected);
        File.Move(NotebookPath, ours);
        File.Move(draft, NotebookPath);
        if (isOvertaken)
        {
            Write("theirs", byRename: true);
        }

        Assert.True(!isExchanged || PosixFiles.Exchange(ours, NotebookPath));
        if (isSavedAgain)
        {
            Write("once more", byRename: true);
        }

        Assert.Equal(stands, NotebookFile.Load(NotebookPath).Cells[0].Source);
        Assert.Equal([NotebookPath], Directory.GetFiles(_folder));
    }

    private void Write(string source, bool byRename)
    {
        string text =
            $$"""{"cells":[{"cell_type":"code","id":"a","execution_count":null,"metadata":{},"outputs":[],"source":["{{source}}"]}],"metadata":{},"nbformat":4,"nbformat_minor":5}""";
        if (!byRename)
        {
            File.WriteAllText(NotebookPath, text);
            return;
        }

        File.WriteAllText(NotebookPath + ".new", text);
        File.Move(NotebookPath + ".new", NotebookPath, overwrite: true);
    }
}
