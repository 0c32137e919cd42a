using System.Collections.Concurrent;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// The notebooks whose graphs are in memory, each for one caller at a time. A notebook is read at the first touch, and again when its file has changed: what of it is new is registered.
/// Edits are stored here first and come into the file a little later, or when cells run; a cell that somebody else has changed in the file since is the file's.
/// </summary>
public sealed class ReactiveNotebooks(StateStore store, FeedLog feed, CellAnalysers analysers)
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _turns = new();
    private readonly ConcurrentDictionary<string, ReactiveNotebook> _notebooks = new();

    /// <summary>Waits until nobody else is at this notebook; give it back by disposing.</summary>
    public async Task<IDisposable> TakeTurnAsync(string path, CancellationToken cancellationToken)
    {
        SemaphoreSlim turn = _turns.GetOrAdd(path, static _ => new SemaphoreSlim(1));
        await turn.WaitAsync(cancellationToken);
        return new Turn(turn);
    }

    /// <summary>The notebook as it is now, its file read only if that has changed. The caller has the turn.</summary>
    public async Task<ReactiveNotebook> OpenAsync(string path, CancellationToken cancellationToken)
    {
        if (_notebooks.TryGetValue(path, out ReactiveNotebook? known) && known.Seen is { } seen && FileStatus.Of(path) == seen)
        {
            return known;
        }

        FileStatus? status = FileStatus.Of(path);
        return await ReadAsync(NotebookFile.Load(path), status, cancellationToken);
    }

    /// <summary>
    /// The same, from a file just loaded, and the other way round: edits that the file does not have are put into it, so that whoever saves it next saves them. The caller has the turn.
    /// </summary>
    public async Task<ReactiveNotebook> ReadIntoAsync(NotebookFile file, CancellationToken cancellationToken)
    {
        ReactiveNotebook notebook = await ReadAsync(file, null, cancellationToken);
        notebook.PutEditsInto(file);
        return notebook;
    }

    /// <summary>Changes the file, and brings it the edits that it does not have. The caller has the turn.</summary>
    public async Task<ReactiveNotebook> ChangeAsync(string path, Action<NotebookFile> change, CancellationToken cancellationToken)
    {
        ReactiveNotebook notebook = await OpenAsync(path, cancellationToken);
        (NotebookFile file, FileStatus? status) = ChangeFile(notebook, change);

        // A crash before this finds the file as it is now, and registers what is new in it when it is next opened.
        return await ReadAsync(file, status, CancellationToken.None);
    }

    private static (NotebookFile File, FileStatus? Status) ChangeFile(ReactiveNotebook notebook, Action<NotebookFile> change)
    {
        using Lock.Scope hold = WholeFile.Hold(NotebookStorage.RealPathOf(notebook.Path));
        NotebookFile file = NotebookFile.Load(notebook.Path);
        notebook.PutEditsInto(file);
        change(file);
        if (file.IsChanged)
        {
            file.Save();
        }

        return (file, FileStatus.Of(notebook.Path));
    }

    /// <summary>Stores what an edit did, and tells everybody who follows: verdicts are known everywhere when they are durable.</summary>
    internal async Task CommitAsync(ReactiveNotebook notebook, CellId? edited, RegistryChange change, IEnumerable<CellId> forgotten)
    {
        List<ReactiveCellRow> rows = [];
        IEnumerable<CellId> touched = change.Registered.Concat(notebook.Registry.Pending).Concat(notebook.Rows.Values.Where(static r => r.Registered is not null).Select(static r => r.Cell));
        foreach (CellId cell in touched.Concat(edited is { } one ? [one] : []).Distinct().Where(notebook.Registry.Contains))
        {
            ReactiveCellRow row = notebook.RowOf(cell);
            if (row.IsNeeded || notebook.Rows.ContainsKey(cell))
            {
                rows.Add(row);
            }
        }

        List<CellId> removed = [.. forgotten];
        try
        {
            await store.WriteAsync(transaction =>
            {
                rows.ForEach(row => ReactiveCellsTable.Put(transaction, notebook.Path, row));
                removed.ForEach(cell => ReactiveCellsTable.Remove(transaction, notebook.Path, cell));
                feed.Append(transaction, "notebook.registered", notebook.Path, writer => GraphJson.WriteChange(writer, notebook, edited, change));
            }, CancellationToken.None); // The registry has changed already: this is stored whoever has gone meanwhile.
        }
        catch
        {
            // What is in memory was not stored: it is forgotten, and read again from what was.
            _notebooks.TryRemove(notebook.Path, out _);
            throw;
        }

        foreach (ReactiveCellRow row in rows)
        {
            notebook.Rows[row.Cell] = row;
        }
    }

    private async Task<ReactiveNotebook> ReadAsync(NotebookFile file, FileStatus? status, CancellationToken cancellationToken)
    {
        string path = file.Path;
        bool isKnown = _notebooks.TryGetValue(path, out ReactiveNotebook? notebook);
        notebook ??= new ReactiveNotebook(path, analysers.ForKernel(file.KernelName));
        if (!isKnown)
        {
            notebook.Rows = store.Read(reader => ReactiveCellsTable.Of(reader, path));
        }

        (notebook.IsReactive, notebook.IsAutorun) = (file.IsReactive, file.IsAutorun);
        List<(CellId Id, string Source, bool IsDisabled)> cells = [];
        foreach (NotebookCell cell in ReactiveNotebook.CodeCells(file))
        {
            var id = new CellId(cell.Id!);
            string hash = ReactiveNotebook.HashOf(cell.Source);
            bool isEdited = notebook.Rows.TryGetValue(id, out ReactiveCellRow? row) && row.Source is not null && row.BasedOn == hash;
            notebook.FileHashes[id] = hash;
            cells.Add((id, isEdited ? row!.Source! : cell.Source, cell.IsDisabled));
        }

        if (isKnown)
        {
            await FollowAsync(notebook, cells, cancellationToken);
        }
        else
        {
            await LoadAsync(notebook, cells, cancellationToken);
            _notebooks[path] = notebook;
        }

        notebook.Seen = status;
        return notebook;
    }

    private static async Task LoadAsync(ReactiveNotebook notebook, List<(CellId Id, string Source, bool IsDisabled)> cells, CancellationToken cancellationToken)
    {
        CellAnalysis[] analyses = await Task.WhenAll(cells.Select(c => notebook.Analyser.AnalyseAsync(c.Source, cancellationToken)));
        notebook.Registry = CellRegistry.Load([.. cells.Select((c, i) => new LoadedCell(
            c.Id, analyses[i], notebook.Rows.GetValueOrDefault(c.Id)?.Registered ?? (analyses[i].Error is null ? CellRegistration.Of(analyses[i]) : CellRegistration.Empty), c.IsDisabled))]);
        cells.ForEach(c => notebook.SetSource(c.Id, c.Source));
    }

    /// <summary>Takes over what somebody else has done to the file: other texts, new cells, missing ones, another order.</summary>
    private async Task FollowAsync(ReactiveNotebook notebook, List<(CellId Id, string Source, bool IsDisabled)> cells, CancellationToken cancellationToken)
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
            notebook.SetSource(edited[i].Id, edited[i].Source);
            changes.Add(notebook.Registry.Register(edited[i].Id, analyses[i]));
        }

        changes.Add(notebook.Registry.Arrange([.. cells.Select(static c => c.Id)]));
        foreach ((CellId id, _, bool isDisabled) in cells)
        {
            changes.Add(notebook.Registry.SetDisabled(id, isDisabled));
        }

        RegistryChange change = RegistryChange.All(changes.FindAll(static c => !ReferenceEquals(c, RegistryChange.None)), notebook.Registry);
        List<CellId> saved = [.. notebook.Rows.Values.Where(r => r.Source is not null && present.Contains(r.Cell) && notebook.RowOf(r.Cell).Source is null).Select(static r => r.Cell)];
        if (gone.Count + edited.Count + change.Verdicts.Count + saved.Count > 0)
        {
            await CommitAsync(notebook, null, change with { Registered = [.. change.Registered.Union(saved)] }, gone);
        }
    }

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
