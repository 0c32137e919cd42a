using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Holdfast.Engine.Notebooks.Json;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// One .ipynb file of nbformat 4, held as its own text: what is not changed here is written back byte for byte, and what is changed looks
/// as Jupyter's own writer would have left it, in the file's own layout. Not for several threads at once. Specification:
/// docs/spec/notebook-profile.md.
/// </summary>
public sealed class NotebookFile
{
    private const int FirstMinorWithIds = 5;
    private static readonly byte[] WidgetStateType = Encoding.UTF8.GetBytes(Kernels.Comms.WidgetState.MimeType);

    private readonly List<NotebookCell> _cells = [];
    private readonly ReadOnlyMemory<byte> _before;
    private readonly ReadOnlyMemory<byte> _after;
    private readonly ObjectPiece _root;
    private readonly ArrayPiece _cellArray;
    private readonly JsonLayout _layout;
    private FileStatus? _status;

    private NotebookFile(string path, ReadOnlyMemory<byte> text)
    {
        Path = path;
        int start = text.Span.StartsWith("\uFEFF"u8) ? 3 : 0;
        start = JsonScan.SkipWhitespace(text.Span, start);
        int end = CheckJson(path, text.Span, start);
        _before = text[..start];
        _after = text[end..];

        ReadOnlyMemory<byte> rootText = text[start..end];
        if (rootText.Span[0] != (byte)'{')
        {
            throw Invalid(null, "nbformat", "is not an object, as a notebook must be");
        }

        _layout = JsonLayout.Of(rootText.Span);
        _root = new ObjectPiece(rootText, _layout, 0);
        CheckFormat();
        ReadOnlyMemory<byte> cells = _root.Raw("cells"u8);
        if (cells.Span is not [(byte)'[', ..])
        {
            throw Invalid(null, "cells", cells.IsEmpty ? "is missing" : "is not a list");
        }

        _cellArray = new ArrayPiece(cells, _layout, 1, OpenCell);
        _root.Set("cells"u8, _cellArray);
        AddMissingIds();
    }

    public string Path { get; }

    public int FormatMinor { get; private set; }

    /// <summary>True from 4.5 on, where every cell has an id.</summary>
    public bool HasCellIds => FormatMinor >= FirstMinorWithIds;

    public IReadOnlyList<NotebookCell> Cells => _cells;

    /// <summary>True if a save would change the file: something was set, or ids were missing.</summary>
    public bool IsChanged { get; private set; }

    /// <summary><c>metadata.kernelspec.name</c>, where the notebook names its kernel.</summary>
    public string? KernelName => MetadataText("kernelspec"u8, "name"u8);

    /// <summary><c>metadata.holdfast.mode</c> is <c>reactive</c>: cells run by what they need of one another.</summary>
    public bool IsReactive => MetadataText("holdfast"u8, "mode"u8) == "reactive";

    /// <summary>
    /// <c>metadata.holdfast.autorun</c>: an edit of a reactive notebook runs what it made stale. Without it, edits only make stale.
    /// </summary>
    public bool IsAutorun =>
        _root.Open("metadata"u8, create: false)?.Open("holdfast"u8, create: false)?.Raw("autorun"u8).Span.SequenceEqual("true"u8) == true;

    /// <summary>The language of the kernelspec, else of <c>language_info</c>.</summary>
    public string? Language => MetadataText("kernelspec"u8, "language"u8) ?? MetadataText("language_info"u8, "name"u8);

    public static NotebookFile Load(string path)
    {
        byte[] text = NotebookStorage.Read(path, out FileStatus status);
        return new NotebookFile(path, text) { _status = status };
    }

    /// <summary>
    /// Loads a notebook, changes and saves it, and begins again when another program has saved it meanwhile: what somebody typed there is
    /// not undone. Other writers of this process wait.
    /// </summary>
    /// <param name="change">May be called more than once, each time with the notebook as it is.</param>
    public static NotebookFile Update(string path, Action<NotebookFile> change)
    {
        const int tries = 20;
        using Lock.Scope hold = WholeFile.Hold(NotebookStorage.RealPathOf(path));
        for (int attempt = 1; ; attempt++)
        {
            NotebookFile notebook = Load(path);
            change(notebook);
            try
            {
                if (notebook.IsChanged)
                {
                    notebook.Save();
                }

                return notebook;
            }
            catch (FileChangedException) when (attempt < tries)
            {
                // As it is now.
            }
        }
    }

    /// <summary>
    /// A notebook from its text; <paramref name="path"/> is where <see cref="Save"/> would put it, and is named in errors.
    /// </summary>
    public static NotebookFile Parse(ReadOnlyMemory<byte> text, string path) => new(path, text);

    /// <summary>
    /// True if the file is no longer the one loaded or last saved here: somebody else has written it, and a save would undo that.
    /// </summary>
    public bool IsChangedOnDisk() => _status is not null && FileStatus.Of(Path) != _status;

    /// <summary>Replaces the file: whole or not at all, with its mode, and its owner where that is allowed.</summary>
    /// <exception cref="FileChangedException">It is not the one that was loaded.</exception>
    public void Save()
    {
        _status = NotebookStorage.Write(Path, _status, Write, _status);
        IsChanged = false;
    }

    /// <summary>Writes a copy elsewhere; this notebook stays bound to its own path.</summary>
    public void SaveCopy(string path) => _ = NotebookStorage.Write(path, _status, Write);

    public byte[] ToBytes()
    {
        using MemoryStream text = new();
        Write(slice => text.Write(slice.Span));
        return text.ToArray();
    }

    /// <summary>Adds a code cell, with an id if this notebook's cells have ids; the cells after it move on by one index.</summary>
    public NotebookCell InsertCodeCell(int index, string source, IReadOnlyList<string> tags)
    {
        JsonText text = new(_layout, 2);
        text.StartObject();
        text.Name("cell_type"u8);
        text.String("code"u8);
        text.Name("execution_count"u8);
        text.Raw("null"u8);
        text.Name("metadata"u8);
        text.StartObject();
        text.Name("tags"u8);
        text.StartArray();
        foreach (string tag in tags)
        {
            text.Element();
            text.String(Encoding.UTF8.GetBytes(tag));
        }

        text.EndArray();
        text.EndObject();
        text.Name("outputs"u8);
        text.StartArray();
        text.EndArray();
        text.Name("source"u8);
        text.Lines(Encoding.UTF8.GetBytes(source));
        text.EndObject();

        ObjectPiece piece = new(text.ToArray(), _layout, 2);
        _cellArray.Insert(index, piece);
        NotebookCell cell = new(this, piece, _layout, index);
        _cells.Insert(index, cell);
        for (int i = index + 1; i < _cells.Count; i++)
        {
            _cells[i].Index = i;
        }

        IsChanged = true;
        AddMissingIds();
        return cell;
    }

    /// <summary>Takes a cell out; those after it move back by one index.</summary>
    public void RemoveCell(int index)
    {
        _cellArray.RemoveAt(index);
        _cells.RemoveAt(index);
        for (int i = index; i < _cells.Count; i++)
        {
            _cells[i].Index = i;
        }

        IsChanged = true;
    }

    /// <summary>Sets <c>metadata.holdfast.mode</c> and <c>autorun</c>, and leaves what else stands there.</summary>
    public void SetReactivity(bool isReactive, bool isAutorun)
    {
        ObjectPiece ours = _root.Open("metadata"u8, create: true)!.Open("holdfast"u8, create: true)!;
        ours.Set("mode"u8, new RawPiece(isReactive ? "\"reactive\""u8.ToArray() : "\"linear\""u8.ToArray()));
        ours.Set("autorun"u8, new RawPiece(isAutorun ? "true"u8.ToArray() : "false"u8.ToArray()));
        IsChanged = true;
    }

    /// <summary>
    /// Sets <c>metadata.language_info</c> to what the kernel says of its language (kernel_info_reply), as every front end does after a run.
    /// </summary>
    public void SetLanguageInfo(ReadOnlySpan<byte> json)
    {
        JsonText text = new(_layout, 2);
        text.Value(json);
        ReadOnlyMemory<byte> old = _root.Open("metadata"u8, create: true)!.Raw("language_info"u8);
        byte[] value = text.ToArray();
        if (!old.Span.SequenceEqual(value))
        {
            _root.Open("metadata"u8, create: true)!.Set("language_info"u8, new RawPiece(value));
            IsChanged = true;
        }
    }

    /// <summary><c>metadata.widgets</c>: what front ends show widgets from without their kernel; empty where there is none.</summary>
    internal ReadOnlyMemory<byte> WidgetState =>
        _root.Open("metadata"u8, create: false)?.Open("widgets"u8, create: false)?.Raw(WidgetStateType) ?? default;

    internal void SetWidgetState(ReadOnlySpan<byte> json)
    {
        JsonText text = new(_layout, 3);
        text.Value(json);
        _root.Open("metadata"u8, create: true)!.Open("widgets"u8, create: true)?.Set(WidgetStateType, new RawPiece(text.ToArray()));
        IsChanged = true;
    }

    internal void Touch() => IsChanged = true;

    internal RefusedException Invalid(int? cellIndex, string field, string what)
    {
        string where = cellIndex is null ? field : $"cell {cellIndex}: {field}";
        return new RefusedException(
            ErrorCodes.NotebookInvalid,
            $"The notebook {Path} is not valid: {where} {what}. Cells are counted from 0; open the notebook in Jupyter and save it to repair it."
        );
    }

    private static int CheckJson(string path, ReadOnlySpan<byte> text, int start)
    {
        try
        {
            if (!Utf8.IsValid(text))
            {
                throw new JsonTextException(FirstInvalid(text), "the text is not UTF-8 from here on");
            }

            if (start == text.Length)
            {
                throw new JsonTextException(start, "the file is empty");
            }

            int end = JsonScan.SkipValue(text, start);
            int rest = JsonScan.SkipWhitespace(text, end);
            return rest == text.Length ? end : throw new JsonTextException(rest, "something follows the end of the notebook");
        }
        catch (JsonTextException fault)
        {
            throw new RefusedException(
                ErrorCodes.NotebookInvalidJson,
                $"The notebook {path} is not valid JSON at {PlaceOf(text, fault.Position)}: {fault.Message}."
            );
        }
    }

    private static int FirstInvalid(ReadOnlySpan<byte> text)
    {
        int at = 0;
        while (at < text.Length && Rune.DecodeFromUtf8(text[at..], out _, out int length) == System.Buffers.OperationStatus.Done)
        {
            at += length;
        }

        return at;
    }

    /// <summary>Line and column count from 1, columns in characters; the byte position from 0.</summary>
    private static string PlaceOf(ReadOnlySpan<byte> text, int position)
    {
        position = Math.Min(position, text.Length);
        ReadOnlySpan<byte> before = text[..position];
        int line = before.Count((byte)'\n') + 1;
        int column = Encoding.UTF8.GetCharCount(before[(before.LastIndexOf((byte)'\n') + 1)..]) + 1;
        return string.Create(CultureInfo.InvariantCulture, $"line {line}, column {column} (byte {position})");
    }

    private void CheckFormat()
    {
        int major = FormatNumber("nbformat"u8) ?? throw Invalid(null, "nbformat", "is missing or not a number");
        if (major != 4)
        {
            string remedy =
                major < 4
                    ? "Open and save it in Jupyter, or convert it with `jupyter nbconvert --to notebook --nbformat 4`."
                    : "This version of Holdfast knows nbformat 4 only.";
            throw new RefusedException(ErrorCodes.NotebookUnsupportedFormat, $"The notebook {Path} is of nbformat {major}. {remedy}");
        }

        FormatMinor = FormatNumber("nbformat_minor"u8) ?? throw Invalid(null, "nbformat_minor", "is missing or not a number");
        if (_root.Raw("metadata"u8).Span is not ([] or [(byte)'{', ..]))
        {
            throw Invalid(null, "metadata", "is not an object");
        }
    }

    private int? FormatNumber(ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> text = _root.Raw(name).Span;
        return System.Buffers.Text.Utf8Parser.TryParse(text, out int value, out int length) && length == text.Length && value >= 0
            ? value
            : null;
    }

    private ObjectPiece OpenCell(ReadOnlyMemory<byte> text)
    {
        int index = _cells.Count;
        if (text.Span[0] != (byte)'{')
        {
            throw Invalid(index, "cell", "is not an object");
        }

        ObjectPiece piece = new(text, _layout, 2);
        _cells.Add(new NotebookCell(this, piece, _layout, index));
        return piece;
    }

    /// <summary>
    /// Gives an id to every cell of a 4.5 notebook that has none, and a new one to a cell that repeats an earlier cell's, as nbformat does.
    /// The ids follow from the content, so that reading the same unsaved file again finds the same ones.
    /// </summary>
    private void AddMissingIds()
    {
        if (!HasCellIds)
        {
            return;
        }

        HashSet<string> kept = [];
        List<NotebookCell> without = [];
        foreach (NotebookCell cell in _cells)
        {
            if (cell.Id is null || !kept.Add(cell.Id))
            {
                without.Add(cell);
            }
        }

        foreach (NotebookCell cell in without)
        {
            cell.GiveId(CellIds.For(cell.Index, cell.Source, kept));
        }
    }

    /// <summary>
    /// Makes a notebook of before 4.5 one of 4.5: every cell gets an id, which follows from its content. Nothing else is otherwise.
    /// </summary>
    public void GiveCellIds()
    {
        if (HasCellIds)
        {
            return;
        }

        FormatMinor = FirstMinorWithIds;
        _root.Set("nbformat_minor"u8, new RawPiece("5"u8.ToArray()));
        AddMissingIds();
        IsChanged = true;
    }

    private string? MetadataText(ReadOnlySpan<byte> group, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> value = _root.Open("metadata"u8, create: false)?.Open(group, create: false) is { } found
            ? found.Raw(name).Span
            : default;
        return value is [(byte)'"', ..] ? JsonStrings.ToText(value) : null;
    }

    private void Write(Action<ReadOnlyMemory<byte>> output)
    {
        output(_before);
        _root.Write(output);
        output(_after);
    }
}
