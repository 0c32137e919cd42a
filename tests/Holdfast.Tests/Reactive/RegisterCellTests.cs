using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive;
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

    private sealed record Room(CellAnalysers Analysers, ReactiveNotebooks Notebooks, EditFollowUp Saver, RegisterCell Register, DeleteCell Delete, GetGraph Graph, SetNotebookMode Mode);

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
        Assert.Equal(("ok", "x z", "a b c"), (verdict.State.Name, string.Join(' ', verdict.Analysis.Definitions), string.Join(' ', verdict.Stale)));
    }

    [Fact]
    public async Task A_cycle_is_told_to_every_follower_for_each_of_its_cells_and_heals()
    {
        RegisteredVerdict verdict = await RegisterAsync("a", "x = y");
        Assert.Equal(("blocked", BlockKind.Cycle), (verdict.State.Name, verdict.State.Reasons[0].Kind));
        JsonElement told = LastEvent();
        Assert.Equal("a blocked cycle, b blocked cycle", string.Join(", ", told.GetProperty("cells").EnumerateArray().Select(c => $"{c.GetProperty("cellId")} {c.GetProperty("state")} {c.GetProperty("reason")}")));
        Assert.Equal("ok", (await RegisterAsync("b", "y = 5")).State.Name);
        Assert.Equal("a ok, b ok", string.Join(", ", LastEvent().GetProperty("cells").EnumerateArray().Select(c => $"{c.GetProperty("cellId")} {c.GetProperty("state")}")));
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
        await _house.Store.WriteAsync(t => Execute(t, "CREATE TRIGGER no_events BEFORE INSERT ON feed BEGIN SELECT RAISE(ABORT, 'no'); END"), Cancel);
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

    private JsonElement LastEvent() => JsonDocument.Parse(_house.Feed.ReadAfter(0, File, int.MaxValue)[^1].Body).RootElement;

    private Room Open()
    {
        var analysers = new CellAnalysers(static () => { }, TimeProvider.System);
        var notebooks = new ReactiveNotebooks(_house.Store, _house.Feed, analysers);
        var saver = new EditFollowUp(notebooks, static _ => false, static _ => Task.CompletedTask, _house.Clock, NullLogger<EditFollowUp>.Instance);
        return new Room(analysers, notebooks, saver, new RegisterCell(notebooks, saver, _house.Directory), new DeleteCell(notebooks, saver, _house.Directory), new GetGraph(notebooks, _house.Directory), new SetNotebookMode(notebooks, _house.Directory));
    }

    private void Reopen()
    {
        _room.Saver.Dispose();
        _room.Analysers.Dispose();
        _room = Open();
    }

    private void Write(params (string Id, string Source)[] cells)
    {
        string json = string.Join(",\n", cells.Select(c =>
            $"  {{\"cell_type\": \"code\", \"execution_count\": null, \"id\": \"{c.Id}\", \"metadata\": {{}}, \"outputs\": [], \"source\": \"{JsonEncodedText.Encode(c.Source)}\"}}"));
        System.IO.File.WriteAllText(File, $$$"""
            {
             "cells": [
            {{{json}}}
             ],
             "metadata": {"holdfast": {"mode": "reactive"}, "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
             "nbformat": 4,
             "nbformat_minor": 5
            }
            """);
    }
}
