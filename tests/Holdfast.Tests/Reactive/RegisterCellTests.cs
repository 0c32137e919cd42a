using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive;
using Holdfast.Engine.Reactive.Cascades;
using Holdfast.Engine.Reactive.Registration;
using Holdfast.Engine.Store;
using Holdfast.Tests.Executions;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Reactive;

/// <summary>Edits through the real store, with a real Python beside it, and a notebook on disk.</summary>
public sealed class RegisterCellTests : IAsyncDisposable
{
    private readonly TemporaryLedger _house = new();
    private Room _room;

    private sealed record Room(
        CellAnalysers Analysers,
        ReactiveNotebooks Notebooks,
        EditFollowUp Saver,
        RegisterCell Register,
        DeleteCell Delete,
        GetGraph Graph,
        SetNotebookMode Mode
    );

    public RegisterCellTests()
    {
        _room = Open();
        Write(("a", "x = 1"), ("b", "y = x"), ("c", "print(y)"));
    }

    private string File => Path.Combine(_house.Directory, "n.ipynb");

    [Fact]
    public async Task A_verdict_says_what_the_text_does_and_whom_it_makes_stale()
    {
        RegisteredVerdict verdict = await RegisterAsync("a", "x = 2\nz = 3");
        Assert.Equal(
            ("ok", "x z", "a b c"),
            (verdict.State.Name, string.Join(' ', verdict.Analysis.Definitions), string.Join(' ', verdict.Freshness.Stale))
        );
    }

    [Fact]
    public async Task A_refused_edit_makes_stale_what_it_blocks_and_nothing_else()
    {
        RegisteredVerdict verdict = await RegisterAsync("a", "x = y");
        Assert.Equal("a b c", string.Join(' ', verdict.Freshness.Stale));
        Assert.Equal("c", string.Join(' ', (await RegisterAsync("c", "print(")).Freshness.Stale));
    }

    [Fact]
    public async Task An_edit_that_is_taken_back_makes_fresh_again_what_the_kernel_holds()
    {
        await HoldAsync("a", "b", "c");
        Assert.All((await _room.Graph.RunAsync(File, Cancel)).Cells, static c => Assert.False(c.IsStale));
        Assert.Equal("b c", string.Join(' ', (await RegisterAsync("b", "y = x + 1")).Freshness.Stale));
        Assert.Equal("False True True", string.Join(' ', (await _room.Graph.RunAsync(File, Cancel)).Cells.Select(static c => c.IsStale)));

        CellFreshness back = (await RegisterAsync("b", "y = x")).Freshness;
        Assert.Equal(("", "b c"), (string.Join(' ', back.Stale), string.Join(' ', back.Fresh)));
        Assert.Equal("b c", string.Join(' ', LastEvent().GetProperty("fresh").EnumerateArray().Select(static c => c.GetString())));
    }

    [Fact]
    public async Task What_an_edit_has_for_consequences_is_stored_with_it_until_it_is_settled()
    {
        await RegisterAsync("a", "z = 1"); // Its reader is to be looked at, too: what it read is nowhere made.
        Assert.Equal("a b", Unsettled());
        await RegisterAsync("b", "y = z");
        await _room.Delete.RunAsync(File, "c", Cancel);
        Assert.Equal("a b c", Unsettled());

        Assert.Equal(1, (await new RecoverEdits(_house.Store, _room.Saver).RunAsync(Cancel)).Found);
        _house.Clock.Turn(TimeSpan.FromSeconds(1));
        using (await _room.Notebooks.TakeTurnAsync(File, Cancel))
        {
            Assert.Equal("", Unsettled());
        }

        Assert.Equal("z = 1", NotebookFile.Load(File).Cells[0].Source);
    }

    [Fact]
    public async Task Notebooks_that_nobody_has_touched_for_long_leave_memory_and_come_back_as_they_were()
    {
        await HoldAsync("a", "b", "c");
        await RegisterAsync("b", "y = (");
        for (int i = 0; i < OpenNotebooks.NotebooksMax + 5; i++)
        {
            string other = Path.Combine(_house.Directory, $"other{i}.ipynb");
            System.IO.File.Copy(File, other);
            await _room.Graph.RunAsync(other, Cancel);
        }

        Assert.Equal(OpenNotebooks.NotebooksMax, _room.Notebooks.Count);
        Assert.Equal("ok blocked ok", string.Join(' ', (await _room.Graph.RunAsync(File, Cancel)).Cells.Select(static c => c.State.Name)));
        Assert.Equal("b c", string.Join(' ', (await RegisterAsync("b", "y = x + 2")).Freshness.Stale));
    }

    [Fact]
    public async Task Whoever_never_stops_typing_keeps_nothing_from_the_file_for_long()
    {
        for (int i = 0; i < 20; i++)
        {
            await RegisterAsync("a", $"x = {i}");
            _house.Clock.Turn(TimeSpan.FromMilliseconds(250));
        }

        using (await _room.Notebooks.TakeTurnAsync(File, Cancel))
        {
            Assert.NotEqual("x = 1", NotebookFile.Load(File).Cells[0].Source);
        }
    }

    [Fact]
    public async Task A_notebook_whose_cells_have_no_ids_is_looked_at_as_it_is_and_gets_them_when_it_becomes_reactive()
    {
        string old = (await System.IO.File.ReadAllTextAsync(File, Cancel))
            .Replace("\"nbformat_minor\": 5", "\"nbformat_minor\": 4", StringComparison.Ordinal)
            .Replace("\"id\": \"", "\"x\": \"", StringComparison.Ordinal)
            .Replace("\"reactive\"", "\"linear\"", StringComparison.Ordinal);
        System.IO.File.WriteAllText(File, old);

        NotebookGraph graph = await _room.Graph.RunAsync(File, Cancel);
        Assert.Equal("x y", string.Join(' ', graph.Cells.SelectMany(static c => c.Analysis.Definitions)));
        Assert.Equal(old, await System.IO.File.ReadAllTextAsync(File, Cancel));

        await _room.Mode.RunAsync(File, true, null, Cancel);
        var changed = NotebookFile.Load(File);
        Assert.Equal((5, false), (changed.FormatMinor, changed.IsChanged));
        Assert.Equal(graph.Cells.Select(static c => c.Cell.Value), changed.Cells.Select(static c => c.Id));
    }

    [Fact]
    public async Task A_notebook_has_one_graph_by_whatever_links_it_is_reached()
    {
        string link = Path.Combine(_house.Directory, "link.ipynb");
        string folder = Path.Combine(_house.Directory, "folder");
        System.IO.File.CreateSymbolicLink(link, File);
        Directory.CreateSymbolicLink(folder, _house.Directory);

        RegisteredVerdict verdict = await _room.Register.RunAsync(new CellText(link, "a", "x = y", null, null), Cancel);
        Assert.Equal("blocked", verdict.State.Name);
        NotebookGraph graph = await _room.Graph.RunAsync(Path.Combine(folder, "n.ipynb"), Cancel);
        Assert.Equal((File, "blocked"), (graph.Path, graph.Cells[0].State.Name));
        Assert.Equal(1, _room.Notebooks.Count);
    }

    [Fact]
    public async Task What_is_known_of_a_notebook_follows_its_file_to_another_name()
    {
        await HoldAsync("a", "b", "c");
        await RegisterAsync("c", "w = (");
        string to = Path.Combine(_house.Directory, "moved.ipynb");
        System.IO.File.Move(File, to);

        NotebookGraph moved = await _room.Graph.RunAsync(to, Cancel);
        Assert.Equal(
            "a ok False, b ok False, c blocked True",
            string.Join(", ", moved.Cells.Select(static c => $"{c.Cell} {c.State.Name} {c.IsStale}"))
        );
        Write(("a", "x = 1"), ("b", "y = x"), ("c", "print(y)"));
        Assert.All((await _room.Graph.RunAsync(File, Cancel)).Cells, static c => Assert.True(c.IsStale)); // A copy has no kernel.
    }

    [Fact]
    public async Task A_folder_takes_the_notebooks_in_it_along_and_a_deleted_one_leaves_nothing()
    {
        await _house.Store.WriteAsync(
            transaction =>
            {
                foreach (string path in (string[])["/r/a/n.ipynb", "/r/a/deep/m.ipynb", "/r/ab/n.ipynb", "/r/b/n.ipynb"])
                {
                    ReactiveEditsTable.Put(transaction, path, Sources.Id(path.Replace('/', '_')));
                }

                NotebookRows.Move(transaction, "/r/a", "/r/b");
            },
            Cancel
        );
        Assert.Equal("/r/ab/n.ipynb /r/b/deep/m.ipynb /r/b/n.ipynb", string.Join(' ', _house.Store.Read(ReactiveEditsTable.Paths)));
        Assert.Equal(
            "_r_a_n.ipynb",
            string.Join(' ', _house.Store.Read(reader => ReactiveEditsTable.Of(reader, "/r/b/n.ipynb")).Select(static e => e.Cell))
        );
        await _house.Store.WriteAsync(transaction => NotebookRows.Remove(transaction, "/r/b"), Cancel);
        Assert.Equal("/r/ab/n.ipynb", string.Join(' ', _house.Store.Read(ReactiveEditsTable.Paths)));
    }

    [Fact]
    public async Task A_cycle_is_told_to_every_follower_for_each_of_its_cells_and_heals()
    {
        RegisteredVerdict verdict = await RegisterAsync("a", "x = y");
        Assert.Equal(("blocked", BlockKind.Cycle), (verdict.State.Name, verdict.State.Reasons[0].Kind));
        JsonElement told = LastEvent();
        Assert.Equal(
            "a blocked cycle, b blocked cycle",
            string.Join(
                ", ",
                told.GetProperty("cells")
                    .EnumerateArray()
                    .Select(c => $"{c.GetProperty("cellId")} {c.GetProperty("state")} {c.GetProperty("reason")}")
            )
        );
        Assert.Equal("ok", (await RegisterAsync("b", "y = 5")).State.Name);
        Assert.Equal(
            "a ok, b ok",
            string.Join(
                ", ",
                LastEvent().GetProperty("cells").EnumerateArray().Select(c => $"{c.GetProperty("cellId")} {c.GetProperty("state")}")
            )
        );
    }

    [Fact]
    public async Task What_was_registered_survives_the_server()
    {
        await RegisterAsync("a", "x = y");
        await RegisterAsync("c", "w = (");
        Reopen();
        NotebookGraph graph = await _room.Graph.RunAsync(File, Cancel);
        Assert.Equal("a blocked, b blocked, c blocked", string.Join(", ", graph.Cells.Select(c => $"{c.Cell} {c.State.Name}")));
        Assert.Equal("ok", (await RegisterAsync("a", "x = 1")).State.Name);
        Assert.Equal("x = 1", NotebookFile.Load(File).Cells[0].Source);
    }

    [Fact]
    public async Task The_file_gets_the_edit_when_nobody_has_typed_for_a_moment()
    {
        byte[] before = await System.IO.File.ReadAllBytesAsync(File, Cancel);
        await RegisterAsync("b", "y = x * 2");
        Assert.Equal(before, await System.IO.File.ReadAllBytesAsync(File, Cancel));
        using (await _room.Notebooks.TakeTurnAsync(File, Cancel))
        {
            await _room.Notebooks.ChangeAsync(File, static _ => { }, Cancel);
        }

        Assert.Equal("y = x * 2", NotebookFile.Load(File).Cells[1].Source);
        Reopen();
        Assert.Empty(_house.Store.Read(reader => ReactiveCellsTable.Of(reader, File)));
    }

    [Fact]
    public async Task A_cell_that_was_changed_in_the_file_is_the_files()
    {
        await RegisterAsync("b", "y = x * 2");
        Write(("a", "x = 1"), ("b", "y = 7"), ("c", "print(y)"));
        NotebookGraph graph = await _room.Graph.RunAsync(File, Cancel);
        Assert.Empty(graph.Cells[1].Upstream);
    }

    [Fact]
    public async Task Another_editors_cells_are_registered_when_the_notebook_is_next_touched()
    {
        await _room.Graph.RunAsync(File, Cancel);
        Write(("c", "print(y)"), ("n", "y = 0"), ("a", "x = 1"));
        NotebookGraph graph = await _room.Graph.RunAsync(File, Cancel);
        Assert.Equal("c<n n< a<", string.Join(' ', graph.Cells.Select(c => $"{c.Cell}<{string.Join(',', c.Upstream)}")));
    }

    [Fact]
    public async Task Another_editors_edit_has_its_consequences_when_somebody_only_looks_at_the_notebook()
    {
        await _room.Graph.RunAsync(File, Cancel);
        Write(("a", "x = 2"), ("b", "y = x"), ("c", "print(y)"));
        await _room.Graph.RunAsync(File, Cancel);
        Assert.Equal("a", Unsettled());
        _house.Clock.Turn(TimeSpan.FromSeconds(1));
        using (await _room.Notebooks.TakeTurnAsync(File, Cancel))
        {
            Assert.Equal("", Unsettled());
        }
    }

    [Fact]
    public async Task What_was_saved_while_no_server_was_there_is_an_edit_like_any()
    {
        await HoldAsync("a", "b", "c");
        Reopen();
        Assert.All((await _room.Graph.RunAsync(File, Cancel)).Cells, static c => Assert.False(c.IsStale));
        Assert.Equal("", Unsettled()); // As it was left: opening is no edit.

        Reopen();
        Write(("a", "x = 1"), ("b", "y = x * 2"), ("n", "z = 0"));
        await _room.Graph.RunAsync(File, Cancel);
        Assert.Equal("b c n", Unsettled());
        Assert.Equal(
            "b n",
            string.Join(' ', LastEvent().GetProperty("cells").EnumerateArray().Select(static c => c.GetProperty("cellId").GetString()))
        );
        Assert.Equal("b n", string.Join(' ', LastEvent().GetProperty("stale").EnumerateArray().Select(static c => c.GetString())));

        Reopen();
        Assert.Equal("b c n", Unsettled());
        Assert.Equal(
            "a n:False b:True",
            string.Join(
                ' ',
                (await _room.Graph.RunAsync(File, Cancel))
                    .Cells.OrderBy(static c => c.Cell.Value != "a")
                    .ThenBy(static c => c.Cell.Value == "b")
                    .Select(static c => c.Cell.Value == "a" ? "a" : $"{c.Cell}:{c.Cell.Value == "b" && c.IsStale}")
            )
        );
    }

    [Fact]
    public async Task A_start_looks_at_notebooks_whose_kernels_live_though_nobody_touches_them()
    {
        await HoldAsync("a", "b", "c");
        Reopen();
        Write(("a", "x = 5"), ("b", "y = x"), ("c", "print(y)"));
        var start = new RecoverEdits(_house.Store, _room.Saver);
        Assert.Equal(0, (await start.RunAsync(Cancel)).Found);
        await start.Looking;
        _house.Clock.Turn(TimeSpan.FromSeconds(1));
        using (await _room.Notebooks.TakeTurnAsync(File, Cancel))
        {
            // Whoever reads the file now has come to its end.
        }

        Assert.Equal("a b c", string.Join(' ', LastEvent().GetProperty("stale").EnumerateArray().Select(static c => c.GetString())));
    }

    [Fact]
    public async Task An_edit_that_came_into_the_file_just_before_a_crash_does_not_come_back_over_a_later_one()
    {
        await RegisterAsync("b", "y = x * 2");
        NotebookFile file = NotebookFile.Load(File);
        file.Cells[1].SetSource("y = x * 2");
        file.Save(); // The server died here, before it could strike out that the file has it yet to get.
        Reopen();
        await _room.Graph.RunAsync(File, Cancel);

        Write(("a", "x = 1"), ("b", "y = x"), ("c", "print(y)"));
        using (await _room.Notebooks.TakeTurnAsync(File, Cancel))
        {
            await _room.Notebooks.ChangeAsync(File, static _ => { }, Cancel);
        }

        Assert.Equal("y = x", NotebookFile.Load(File).Cells[1].Source);
        Assert.Equal(ReactiveNotebook.HashOf("y = x"), (await _room.Graph.RunAsync(File, Cancel)).Cells[1].SourceHash);
    }

    [Fact]
    public async Task A_cell_is_disabled_and_enabled_in_the_file_and_nothing_else_is_changed()
    {
        byte[] before = await System.IO.File.ReadAllBytesAsync(File, Cancel);
        var disable = new DisableCell(_room.Notebooks, _house.Directory);
        Assert.Equal("disabled", (await disable.RunAsync(File, "a", true, Cancel)).State.Name);
        Assert.True(NotebookFile.Load(File).Cells[0].IsDisabled);
        Assert.Equal(
            "a, b",
            string.Join(
                ", ",
                (await _room.Graph.RunAsync(File, Cancel))
                    .Cells.Where(static c => c.BlockedBy.Count > 0 || c.State.Name == "disabled")
                    .Select(static c => c.Cell)
                    .Take(2)
            )
        );
        Assert.Equal("a", Disabled(LastEvent()));
        Assert.Equal("ok", (await disable.RunAsync(File, "a", false, Cancel)).State.Name);
        Assert.Equal(
            ErrorCodes.CellNotFound,
            (await Assert.ThrowsAsync<RefusedException>(() => disable.RunAsync(File, "nope", true, Cancel))).Code
        );
        Assert.Equal(before, await System.IO.File.ReadAllBytesAsync(File, Cancel));

        static string Disabled(JsonElement told) =>
            string.Join(
                ' ',
                told.GetProperty("cells")
                    .EnumerateArray()
                    .Where(static c => c.GetProperty("state").GetString() == "disabled")
                    .Select(static c => c.GetProperty("cellId").GetString())
            );
    }

    [Fact]
    public async Task An_edit_made_from_another_text_is_refused()
    {
        string hash = ReactiveNotebook.HashOf("x = 1");
        await RegisterAsync("a", "x = 2", hash);
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => RegisterAsync("a", "x = 3", hash));
        Assert.Equal(ErrorCodes.CellChanged, refused.Code);
    }

    [Fact]
    public async Task A_cell_is_added_where_it_is_wanted_and_deleted_for_good()
    {
        await _room.Register.RunAsync(new CellText(File, "n", "w = x", null, 1), Cancel);
        Assert.Equal("a n b c", string.Join(' ', NotebookFile.Load(File).Cells.Select(c => c.Id)));
        await _room.Delete.RunAsync(File, "a", Cancel);
        Assert.Equal("n b c", string.Join(' ', NotebookFile.Load(File).Cells.Select(c => c.Id)));
        Assert.Equal("n b c", string.Join(' ', LastEvent().GetProperty("stale").EnumerateArray().Select(c => c.GetString())));
        Assert.Equal("x", LastEvent().GetProperty("gone")[0].GetString());
        RefusedException unknown = await Assert.ThrowsAsync<RefusedException>(() => RegisterAsync("a", "x = 1"));
        Assert.Equal(ErrorCodes.CellNotFound, unknown.Code);
    }

    [Fact]
    public async Task An_edit_that_could_not_be_stored_is_not_there()
    {
        await _room.Graph.RunAsync(File, Cancel);
        await _house.Store.WriteAsync(
            t => Execute(t, "CREATE TRIGGER no_events BEFORE INSERT ON feed BEGIN SELECT RAISE(ABORT, 'no'); END"),
            Cancel
        );
        await Assert.ThrowsAnyAsync<Exception>(() => RegisterAsync("a", "x = y"));
        await _house.Store.WriteAsync(t => Execute(t, "DROP TRIGGER no_events"), Cancel);
        Assert.All((await _room.Graph.RunAsync(File, Cancel)).Cells, c => Assert.Equal("ok", c.State.Name));
        Assert.Equal("blocked", (await RegisterAsync("a", "x = y")).State.Name);
    }

    [Fact]
    public async Task A_linear_notebook_shows_its_graph_and_takes_no_edits()
    {
        await _room.Mode.RunAsync(File, false, null, Cancel);
        Assert.Equal(3, (await _room.Graph.RunAsync(File, Cancel)).Cells.Count);
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => RegisterAsync("a", "x = 3"));
        Assert.Equal(ErrorCodes.NotebookNotReactive, refused.Code);
    }

    [Fact]
    public async Task The_mode_changes_nothing_else_in_the_file()
    {
        await _room.Mode.RunAsync(File, true, true, Cancel);
        byte[] before = await System.IO.File.ReadAllBytesAsync(File, Cancel);
        await _room.Mode.RunAsync(File, false, false, Cancel);
        Assert.False(NotebookFile.Load(File).IsReactive);
        await _room.Mode.RunAsync(File, true, true, Cancel);
        Assert.Equal(before, await System.IO.File.ReadAllBytesAsync(File, Cancel));
    }

    public async ValueTask DisposeAsync()
    {
        _room.Saver.Dispose();
        _room.Analysers.Dispose();
        await _house.DisposeAsync();
    }

    private static void Execute(StoreTransaction transaction, string sql)
    {
        using Statement statement = transaction.Prepare(sql);
        statement.Execute();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Task<RegisteredVerdict> RegisterAsync(string cell, string source, string? basedOn = null) =>
        _room.Register.RunAsync(new CellText(File, cell, source, basedOn, null), Cancel);

    private string Unsettled() =>
        string.Join(' ', _house.Store.Read(reader => ReactiveEditsTable.Of(reader, File)).Select(static e => e.Cell));

    /// <summary>A kernel of the notebook's own holds what these cells make, each from the one before.</summary>
    private async Task HoldAsync(params string[] cells)
    {
        NotebookGraph graph = await _room.Graph.RunAsync(File, Cancel);
        var kernels = new KernelLedger(_house.Ledger, _house.Feed, new RestartPolicy(), "here", _house.Clock);
        await _house.Store.WriteAsync(
            transaction =>
            {
                (Kernel kernel, Attempt attempt) = kernels.Add(transaction, KernelId.New(), new KernelPlan("python3", _house.Directory));
                ReactiveKernelsTable.Put(transaction, File, kernel.Id);
                foreach (string cell in cells)
                {
                    GraphCell now = graph.Cells.Single(c => c.Cell.Value == cell);
                    var value = new CellValue(
                        now.Cell,
                        attempt.Id,
                        new ExecutionId($"run-{cell}"),
                        now.SourceHash,
                        now.Upstream.ToDictionary(static u => u.Value, static u => $"run-{u}")
                    );
                    CellValuesTable.Put(transaction, File, value);
                }
            },
            Cancel
        );
    }

    private JsonElement LastEvent() => JsonDocument.Parse(_house.Feed.ReadAfter(0, File, int.MaxValue)[^1].Body).RootElement;

    private Room Open()
    {
        var analysers = new CellAnalysers(static () => { }, TimeProvider.System);
        var notebooks = new ReactiveNotebooks(
            _house.Store,
            _house.Feed,
            analysers,
            new MovedNotebooks(_house.Store, static (_, _) => { }),
            _house.Clock
        );
        var saver = new EditFollowUp(
            notebooks,
            _house.Feed,
            static _ => false,
            static _ => Task.CompletedTask,
            _house.Clock,
            NullLogger<EditFollowUp>.Instance
        );
        return new Room(
            analysers,
            notebooks,
            saver,
            new RegisterCell(notebooks, _house.Directory),
            new DeleteCell(notebooks, _house.Directory),
            new GetGraph(notebooks, _house.Directory),
            new SetNotebookMode(notebooks, _house.Directory)
        );
    }

    private void Reopen()
    {
        _room.Saver.Dispose();
        _room.Analysers.Dispose();
        _room = Open();
    }

    private void Write(params (string Id, string Source)[] cells)
    {
        string json = string.Join(
            ",\n",
            cells.Select(c =>
                $"  {{\"cell_type\": \"code\", \"execution_count\": null, \"id\": \"{c.Id}\", \"metadata\": {{}}, \"outputs\": [], \"source\": \"{JsonEncodedText.Encode(c.Source)}\"}}"
            )
        );
        System.IO.File.WriteAllText(
            File,
            $$$"""
            {
             "cells": [
            {{{json}}}
             ],
             "metadata": {"holdfast": {"mode": "reactive"}, "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
             "nbformat": 4,
             "nbformat_minor": 5
            }
            """
        );
    }
}
