using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// Lets what is known of a notebook follow its file to another name. Renamed through us, at once; renamed by anybody else (or by us, just
/// before a crash), when it is first read under its new name: it is the notebook whose file is gone and whose cells these are, by their
/// ids. So also one that an older version knew by a link's path.
/// </summary>
/// <param name="runsMoved">What runs at this moment has to know it, too.</param>
public sealed class MovedNotebooks(StateStore store, Action<string, string> runsMoved)
{
    /// <summary>A file or a folder was renamed.</summary>
    public async Task MoveAsync(string from, string to)
    {
        await store.WriteAsync(transaction => NotebookRows.Move(transaction, from, to), CancellationToken.None);
        runsMoved(from, to);
    }

    public Task RemoveAsync(string path) => store.WriteAsync(transaction => NotebookRows.Remove(transaction, path), CancellationToken.None);

    /// <summary>
    /// A reactive notebook is read for the first time: if nothing is known of it, it may have had another name. The caller has the turn.
    /// </summary>
    internal async Task FindAsync(NotebookFile file)
    {
        if (!file.IsReactive || store.Read(reader => NotebookRows.HasAny(reader, file.Path)))
        {
            return;
        }

        HashSet<string> ids = [.. ReactiveNotebook.CodeCells(file).Select(static c => c.Id!)];
        string[] lost =
        [
            .. store
                .Read(NotebookRows.Known)
                .Where(k => k.Value.IsSubsetOf(ids) && (!File.Exists(k.Key) || NotebookStorage.RealPathOf(k.Key) == file.Path))
                .Select(static k => k.Key)
                .Take(2),
        ];
        if (lost.Length == 1)
        {
            await MoveAsync(lost[0], file.Path); // Of two, nobody can say which it was.
        }
    }
}
