using Holdfast.Engine.Feed;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive.Cascades;
using Holdfast.Engine.Reactive.Graph;
using Holdfast.Engine.Store;
using Holdfast.Protocol;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// The notebooks whose graphs are in memory, each for one caller at a time. A notebook is read at the first touch, and again when its file
/// has changed: what of it is new is registered. Edits are stored here first and come into the file a little later, or when cells run; a
/// cell that somebody else has changed in the file since is the file's.
/// </summary>
public sealed class ReactiveNotebooks(StateStore store, FeedLog feed, CellAnalysers analysers, MovedNotebooks moved, TimeProvider time)
{
    private readonly OpenNotebooks _open = new();

    /// <summary>
    /// Of a notebook, by its path, whichever way the edit came: what follows from it is to be done. Raised when that is durable.
    /// </summary>
    public event Action<string>? Edited;

    /// <summary>Microseconds since 1970.</summary>
    internal long Now => time.NowMicroseconds();

    /// <summary>
    /// The notebook, or the folder, has another name now, or is gone: what is in memory is read again from what is stored.
    /// </summary>
    internal void Forget(string path) => _open.RemoveBelow(path);

    /// <summary>Nothing was run that an edit could have overtaken. The caller has the turn.</summary>
    internal Task ClearEditsAsync(string path) =>
        store.WriteAsync(transaction => ReactiveEditsTable.Clear(transaction, path), CancellationToken.None);

    /// <summary>Waits until nobody else is at this notebook; give it back by disposing.</summary>
    public Task<IDisposable> TakeTurnAsync(string path, CancellationToken cancellationToken) =>
        _open.TakeTurnAsync(path, cancellationToken);

    /// <summary>How many notebooks are in memory.</summary>
    internal int Count => _open.Count;

    /// <summary>The notebook as it is now, its file read only if that has changed. The caller has the turn.</summary>
    public async Task<ReactiveNotebook> OpenAsync(string path, CancellationToken cancellationToken)
    {
        if (_open.TryGet(path, out ReactiveNotebook? known) && known.Seen is { } seen && FileStatus.Of(path) == seen)
        {
            return known;
        }

        FileStatus? status = FileStatus.Of(path);
        return await ReadAsync(NotebookFile.Load(path), status, cancellationToken);
    }

    /// <summary>
    /// The same, from a file just loaded, and the other way round: edits that the file does not have are put into it, so that whoever saves
    /// it next saves them. The caller has the turn.
    /// </summary>
    /// <param name="forRun">Outputs are going to stand in it: also what clients have run and not saved.</param>
    public async Task<ReactiveNotebook> ReadIntoAsync(NotebookFile file, bool forRun, CancellationToken cancellationToken)
    {
        ReactiveNotebook notebook = await ReadAsync(file, null, cancellationToken);
        notebook.PutEditsInto(file, forRun);
        return notebook;
    }

    /// <summary>Changes the file, and brings it the edits that it does not have. The caller has the turn.</summary>
    public async Task<ReactiveNotebook> ChangeAsync(string path, Action<NotebookFile> change, CancellationToken cancellationToken) =>
        (await ChangeFileAsync(path, change, forRun: false, cancellationToken)).Notebook;

    /// <summary>The same, with the file as it is then.</summary>
    /// <param name="forRun">Outputs are going to stand in it.</param>
    internal async Task<(ReactiveNotebook Notebook, NotebookFile File)> ChangeFileAsync(
        string path,
        Action<NotebookFile> change,
        bool forRun,
        CancellationToken cancellationToken
    )
    {
        ReactiveNotebook notebook = await OpenAsync(path, cancellationToken);
        (NotebookFile file, FileStatus? status) = ChangeFile(notebook, change, forRun);

        // A crash before this finds the file as it is now, and registers what is new in it when it is next opened.
        return (await ReadAsync(file, status, CancellationToken.None), file);
    }

    /// <summary>
    /// A client has saved the notebook: texts that were run and are not in the file are no more. The caller does not have the turn.
    /// </summary>
    internal async Task TakeSavedAsync(string path)
    {
        using IDisposable turn = await TakeTurnAsync(path, CancellationToken.None);
        if (_open.TryGet(path, out ReactiveNotebook? known))
        {
            (known.IsSavedByClient, known.Seen) = (true, null);
            await OpenAsync(path, CancellationToken.None);
        }
    }

    /// <summary>What of some cells is stale. The caller has the turn.</summary>
    internal CellFreshness Freshness(ReactiveNotebook notebook, IReadOnlyCollection<CellId> cells) =>
        store.Read(reader => NotebookFreshness.Among(reader, notebook, cells));

    /// <summary>All stale cells. The caller has the turn.</summary>
    internal HashSet<CellId> StaleCells(ReactiveNotebook notebook) => store.Read(reader => NotebookFreshness.StaleCells(reader, notebook));

    /// <summary>
    /// What was run past the cascades: a text that nobody has registered is, and does not come into the file before outputs need it there,
    /// since whoever ran it is going to save it. The caller has the turn.
    /// </summary>
    internal async Task<IReadOnlyList<ClientRun>> RegisterRunsAsync(ReactiveNotebook notebook, CancellationToken cancellationToken)
    {
        List<(ClientRun Run, string? Source)> runs = await new ClientRunReader(store).ReadAsync(notebook, cancellationToken);
        foreach ((ClientRun run, string? source) in runs)
        {
            if (
                run.Cell is { } cell
                && source is not null
                && source != notebook.Sources[cell]
                && run.Execution.CreatedAt > notebook.EditedAt(cell)
            )
            {
                RegistryChange change = notebook.Registry.Register(cell, await notebook.Analyser.AnalyseAsync(source, cancellationToken));
                notebook.SetSource(cell, source, run.Execution.CreatedAt, isHeldBack: true);
                await CommitAsync(notebook, cell, change, [], isRun: true);
            }
        }

        return runs.ConvertAll(static r => r.Run);
    }

    private static (NotebookFile File, FileStatus? Status) ChangeFile(ReactiveNotebook notebook, Action<NotebookFile> change, bool forRun)
    {
        NotebookFile file = NotebookFile.Update(
            notebook.Path,
            file =>
            {
                file.GiveCellIds();
                notebook.PutEditsInto(file, forRun);
                change(file);
            }
        );
        return (file, FileStatus.Of(notebook.Path));
    }

    /// <summary>
    /// Stores what an edit did, with that its consequences are not settled, and tells everybody who follows: verdicts are known everywhere
    /// when they are durable. Gives what of the cells that it touches is stale now.
    /// </summary>
    /// <param name="isRun">The text is what a client has run.</param>
    internal async Task<CellFreshness> CommitAsync(
        ReactiveNotebook notebook,
        CellId? edited,
        RegistryChange change,
        IReadOnlyCollection<CellId> forgotten,
        bool isRun = false
    )
    {
        List<ReactiveCellRow> rows = [];
        IEnumerable<CellId> mayHaveRow = change
            .Registered.Concat(notebook.Registry.Pending)
            .Concat(notebook.Rows.Values.Where(static r => r.Registered is not null).Select(static r => r.Cell));
        foreach (CellId cell in mayHaveRow.Concat(edited is { } one ? [one] : []).Distinct().Where(notebook.Registry.Contains))
        {
            ReactiveCellRow row = notebook.RowOf(cell);
            if (row.IsNeeded || notebook.Rows.ContainsKey(cell))
            {
                rows.Add(row);
            }
        }

        List<CellId> unsettled =
        [
            .. FirstOf(notebook.Registry, change.Stale),
            .. change.Verdicts.Where(c => notebook.Registry.State(c).IsRunnable),
            .. forgotten,
        ];
        List<CellId> touched =
        [
            .. change
                .Stale.Concat(change.Verdicts)
                .Concat(edited is { } own ? [own] : [])
                .Concat(Below(notebook.Registry, change.Verdicts))
                .Distinct(),
        ];
        CellFreshness freshness = CellFreshness.None;
        try
        {
            await store.WriteAsync(
                transaction =>
                {
                    rows.ForEach(row => ReactiveCellsTable.Put(transaction, notebook.Path, row));
                    foreach (CellId cell in forgotten)
                    {
                        NotebookRows.Remove(transaction, "reactive_cells", notebook.Path, cell);
                        NotebookRows.Remove(transaction, "registered_sources", notebook.Path, cell);
                    }

                    if (notebook.IsReactive)
                    {
                        PutSources(transaction, notebook);
                        unsettled.ForEach(cell => ReactiveEditsTable.Note(transaction, notebook.Path, cell));
                        if (edited is { } cell && !isRun)
                        {
                            ReactiveEditsTable.Put(transaction, notebook.Path, cell);
                        }
                    }

                    freshness = NotebookFreshness.Among(transaction, notebook, touched);
                    feed.Append(
                        transaction,
                        "notebook.registered",
                        notebook.Path,
                        writer => GraphJson.WriteChange(writer, notebook, edited, change, freshness)
                    );
                },
                CancellationToken.None
            ); // The registry has changed already: this is stored whoever has gone meanwhile.
            CrashPoints.Reach(CrashPoint.ServerCellRegistered);
        }
        catch
        {
            // What is in memory was not stored: it is forgotten, and read again from what was.
            _open.Remove(notebook.Path);
            throw;
        }

        foreach (ReactiveCellRow row in rows)
        {
            notebook.Rows[row.Cell] = row;
        }

        if (notebook.IsReactive)
        {
            notebook.MarkStored();
            if (unsettled.Count > 0 || (edited is not null && !isRun))
            {
                Edited?.Invoke(notebook.Path);
            }
        }

        return freshness;
    }

    private static void PutSources(StoreTransaction transaction, ReactiveNotebook notebook) =>
        RegisteredSourcesTable.Put(transaction, notebook.Path, notebook.Unstored.Select(c => (c, notebook.Hash(c))));

    private static IEnumerable<CellId> Below(CellRegistry registry, IReadOnlyCollection<CellId> cells) =>
        Edges.Reach(registry.Graph.Index, cells.Select(registry.Graph.Index.Get), forward: true).Select(static c => c.Id);

    /// <summary>Of some cells those that need none of the others: whatever depends on them depends on these.</summary>
    private static IEnumerable<CellId> FirstOf(CellRegistry registry, IReadOnlyCollection<CellId> cells)
    {
        HashSet<CellId> all = [.. cells];
        return all.Where(c => !Edges.Incoming(registry.Graph.Index.Get(c)).Any(e => all.Contains(e.Cell.Id)));
    }

    private async Task<ReactiveNotebook> ReadAsync(NotebookFile file, FileStatus? status, CancellationToken cancellationToken)
    {
        file.GiveCellIds(); // Before nbformat 4.5 no cell could be named, in an edit, a verdict or a plan.
        string path = file.Path;
        bool isKnown = _open.TryGet(path, out ReactiveNotebook? notebook);
        notebook ??= new ReactiveNotebook(path, analysers.ForKernel(file.KernelName, file.Language));
        if (!isKnown)
        {
            await moved.FindAsync(file);
            notebook.Rows = store.Read(reader => ReactiveCellsTable.Of(reader, path));
        }

        (notebook.IsReactive, notebook.IsAutorun) = (file.IsReactive, file.IsAutorun);
        long editedAt = (status ?? FileStatus.Of(path))?.ModifiedNanoseconds / 1000 ?? time.NowMicroseconds();
        List<(CellId Id, string Source, bool IsDisabled)> cells = [];
        foreach (NotebookCell cell in ReactiveNotebook.CodeCells(file))
        {
            var id = new CellId(cell.Id!);
            string hash = ReactiveNotebook.HashOf(cell.Source);
            bool isEdited =
                notebook.Rows.TryGetValue(id, out ReactiveCellRow? row)
                && row.Source is not null
                && row.BasedOn == hash
                && !IsUndone(notebook, id, row.Source);
            notebook.FileHashes[id] = hash;
            cells.Add((id, isEdited ? row!.Source! : cell.Source, cell.IsDisabled));
        }

        if (isKnown)
        {
            await FollowAsync(notebook, cells, editedAt, cancellationToken);
        }
        else
        {
            await LoadAsync(notebook, cells, editedAt, cancellationToken);
            _open.Put(notebook);
        }

        notebook.IsSavedByClient = false;
        notebook.Seen = status;
        await StoreSourcesAsync(notebook);
        return notebook;
    }

    /// <summary>The file has had this text, and has the one before it again; or whoever ran it saved without it.</summary>
    private static bool IsUndone(ReactiveNotebook notebook, CellId cell, string source) =>
        (notebook.FileHashes.TryGetValue(cell, out string? before) && before == ReactiveNotebook.HashOf(source))
        || (notebook.IsSavedByClient && notebook.IsHeldBack(cell));

    /// <summary>Of a notebook that is read for the first time, or was not reactive before: nothing of it is an edit.</summary>
    private async Task StoreSourcesAsync(ReactiveNotebook notebook)
    {
        if (notebook.IsReactive && notebook.Unstored.Count > 0)
        {
            try
            {
                await store.WriteAsync(transaction => PutSources(transaction, notebook), CancellationToken.None);
                notebook.MarkStored();
            }
            catch (StoreException)
            {
                // It can be looked at all the same; the next edit stores them.
            }
        }
    }

    private async Task LoadAsync(
        ReactiveNotebook notebook,
        List<(CellId Id, string Source, bool IsDisabled)> cells,
        long editedAt,
        CancellationToken cancellationToken
    )
    {
        CellAnalysis[] analyses = await Task.WhenAll(cells.Select(c => notebook.Analyser.AnalyseAsync(c.Source, cancellationToken)));
        notebook.Registry = CellRegistry.Load([
            .. cells.Select(
                (c, i) =>
                    new LoadedCell(
                        c.Id,
                        analyses[i],
                        notebook.Rows.GetValueOrDefault(c.Id)?.Registered
                            ?? (analyses[i].Error is null ? CellRegistration.Of(analyses[i]) : CellRegistration.Empty),
                        c.IsDisabled
                    )
            ),
        ]);
        cells.ForEach(c => notebook.SetSource(c.Id, c.Source, editedAt));
        if (notebook.IsReactive)
        {
            await TakeMissedEditsAsync(notebook);
        }
    }

    /// <summary>
    /// What was saved while no server was there, or between a crash and now, is an edit like any: it is told, and what follows from it is
    /// done.
    /// </summary>
    private async Task TakeMissedEditsAsync(ReactiveNotebook notebook)
    {
        Dictionary<CellId, string> registered = store.Read(reader => RegisteredSourcesTable.Of(reader, notebook.Path));
        List<CellId> edited =
            registered.Count == 0 ? [] : [.. notebook.Registry.Cells.Where(c => registered.GetValueOrDefault(c) != notebook.Hash(c))];
        List<CellId> gone = [.. registered.Keys.Where(c => !notebook.Registry.Contains(c))];
        List<CellId> saved =
        [
            .. notebook
                .Rows.Values.Where(r => r.Source is not null && notebook.Registry.Contains(r.Cell) && notebook.RowOf(r.Cell).Source is null)
                .Select(static r => r.Cell),
        ];
        if (edited.Count + gone.Count + saved.Count > 0)
        {
            List<CellId> touched =
            [
                .. edited.Concat(Below(notebook.Registry, edited)).Distinct().OrderBy(notebook.Registry.Graph.Position),
            ];
            await CommitAsync(
                notebook,
                null,
                new RegistryChange(edited, [.. edited.Union(saved).Where(c => !notebook.Registry.Pending.Contains(c))], touched, []),
                gone
            );
        }
    }

    /// <summary>Takes over what somebody else has done to the file: other texts, new cells, missing ones, another order.</summary>
    private async Task FollowAsync(
        ReactiveNotebook notebook,
        List<(CellId Id, string Source, bool IsDisabled)> cells,
        long editedAt,
        CancellationToken cancellationToken
    )
    {
        List<(CellId Id, string Source, bool IsDisabled)> edited = cells.FindAll(c => notebook.Sources.GetValueOrDefault(c.Id) != c.Source);
        CellAnalysis[] analyses = await Task.WhenAll(edited.Select(c => notebook.Analyser.AnalyseAsync(c.Source, cancellationToken)));
        var present = cells.Select(static c => c.Id).ToHashSet();
        List<CellId> gone = [.. notebook.Registry.Cells.Where(c => !present.Contains(c))];
        var changes = new List<RegistryChange>();
        foreach (CellId cell in gone)
        {
            changes.Add(notebook.Registry.Delete(cell));
            notebook.Forget(cell);
        }

        for (int i = 0; i < edited.Count; i++)
        {
            notebook.SetSource(edited[i].Id, edited[i].Source, editedAt);
            changes.Add(notebook.Registry.Register(edited[i].Id, analyses[i]));
        }

        changes.Add(notebook.Registry.Arrange([.. cells.Select(static c => c.Id)]));
        foreach ((CellId id, _, bool isDisabled) in cells)
        {
            changes.Add(notebook.Registry.SetDisabled(id, isDisabled));
        }

        RegistryChange change = RegistryChange.All(
            changes.FindAll(static c => !ReferenceEquals(c, RegistryChange.None)),
            notebook.Registry
        );
        List<CellId> saved =
        [
            .. notebook
                .Rows.Values.Where(r => r.Source is not null && present.Contains(r.Cell) && notebook.RowOf(r.Cell).Source is null)
                .Select(static r => r.Cell),
        ];
        if (gone.Count + edited.Count + change.Verdicts.Count + saved.Count > 0)
        {
            await CommitAsync(notebook, null, change with { Registered = [.. change.Registered.Union(saved)] }, gone);
        }
    }
}
