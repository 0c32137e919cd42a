using System.Security.Cryptography;
using System.Text;
using Holdfast.Engine.Notebooks;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// One notebook as it is held in memory: its cells' texts, its registry, and which of its edits the file does not have. Guarded by the
/// notebook's turn.
/// </summary>
public sealed class ReactiveNotebook
{
    private readonly Dictionary<CellId, string> _sources = [];
    private readonly Dictionary<CellId, string> _hashes = [];
    private readonly Dictionary<CellId, long> _editedAt = [];
    private readonly HashSet<CellId> _heldBack = [];
    private readonly HashSet<CellId> _unstored = [];

    internal ReactiveNotebook(string path, ICellAnalyser analyser)
    {
        Path = path;
        Analyser = analyser;
    }

    public string Path { get; }

    public bool IsReactive { get; internal set; }

    public bool IsAutorun { get; internal set; }

    public CellRegistry Registry { get; internal set; } = new();

    /// <summary>Code cells with their texts as they are now, edits included.</summary>
    public IReadOnlyDictionary<CellId, string> Sources => _sources;

    internal ICellAnalyser Analyser { get; }

    internal Dictionary<CellId, ReactiveCellRow> Rows { get; set; } = [];

    /// <summary>The text the file has for each cell, as SHA-256.</summary>
    internal Dictionary<CellId, string> FileHashes { get; } = [];

    /// <summary>Cells whose present text is not stored as the one that was registered.</summary>
    internal IReadOnlyCollection<CellId> Unstored => _unstored;

    internal void MarkStored() => _unstored.Clear();

    /// <summary>A client has saved the file since: what it had run and then took back is not to come back from here.</summary>
    internal bool IsSavedByClient { get; set; }

    internal bool HasHeldBack => _heldBack.Count > 0;

    /// <summary>Grows with each time that somebody was at it; the notebooks' to write.</summary>
    internal long Touched { get; set; }

    internal bool IsHeldBack(CellId cell) => _heldBack.Contains(cell);

    /// <summary>The file as it was last read or written here.</summary>
    internal FileStatus? Seen { get; set; }

    public static string HashOf(string source) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source)));

    /// <summary>Of the text as it is now.</summary>
    public string Hash(CellId cell) => _hashes[cell];

    /// <summary>When a cell got the text it has, microseconds since 1970.</summary>
    internal long EditedAt(CellId cell) => _editedAt[cell];

    /// <param name="isHeldBack">A client has run this text, and not saved it: it is that client's to save. It comes into the file only for
    /// outputs that are to stand beside it.</param>
    internal void SetSource(CellId cell, string source, long at, bool isHeldBack = false)
    {
        _sources[cell] = source;
        _hashes[cell] = HashOf(source);
        _editedAt[cell] = at;
        _unstored.Add(cell);
        _ = isHeldBack ? _heldBack.Add(cell) : _heldBack.Remove(cell);
    }

    internal void Forget(CellId cell)
    {
        _sources.Remove(cell);
        _hashes.Remove(cell);
        _editedAt.Remove(cell);
        _heldBack.Remove(cell);
        _unstored.Remove(cell);
        FileHashes.Remove(cell);
        Rows.Remove(cell);
    }

    /// <summary>What is to be stored of a cell: nothing, when file and text say it all.</summary>
    internal ReactiveCellRow RowOf(CellId cell)
    {
        bool isInFile = FileHashes.GetValueOrDefault(cell) == _hashes[cell];
        CellAnalysis analysis = Registry.Analysis(cell);
        CellRegistration stands = analysis.Error is null ? Registry.Graph.Registration(cell) : Registry.Wanted(cell);
        bool isPlain = analysis.Error is null && stands.IsSameAs(CellRegistration.Of(analysis));
        return new ReactiveCellRow(
            cell,
            isInFile ? null : _sources[cell],
            isInFile ? null : FileHashes.GetValueOrDefault(cell),
            isPlain ? null : stands
        );
    }

    /// <summary>Cells that somebody else has changed in the file since are left as they are.</summary>
    /// <param name="withHeldBack">Also what clients have run and not saved.</param>
    internal void PutEditsInto(NotebookFile file, bool withHeldBack = false)
    {
        foreach (NotebookCell cell in CodeCells(file))
        {
            var id = new CellId(cell.Id!);
            if (
                _sources.TryGetValue(id, out string? source)
                && source != cell.Source
                && (withHeldBack || !_heldBack.Contains(id))
                && FileHashes.GetValueOrDefault(id) == HashOf(cell.Source)
            )
            {
                cell.SetSource(source);
            }
        }
    }

    /// <exception cref="RefusedException">cell-not-found.</exception>
    internal static NotebookCell CellOf(NotebookFile file, string cellId) =>
        CodeCells(file).FirstOrDefault(c => c.Id == cellId)
        ?? throw new RefusedException(ErrorCodes.CellNotFound, $"{file.Path} has no code cell \"{cellId}\".");

    /// <summary>The file's code cells that have an id: cells of formats before 4.5 have none, and no edit can name them.</summary>
    internal static IEnumerable<NotebookCell> CodeCells(NotebookFile file) => file.Cells.Where(static c => c.IsCode && c.Id is not null);
}
