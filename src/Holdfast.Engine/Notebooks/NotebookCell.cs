using System.Buffers;
using System.Text;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Notebooks.Json;
using Holdfast.Engine.Notebooks.Outputs;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// One cell of a <see cref="NotebookFile"/>: what a run reads of it and what a run writes into it. The source is never changed.
/// </summary>
public sealed class NotebookCell
{
    private const int Depth = 2; // root, list of cells, cell

    private readonly NotebookFile _notebook;
    private readonly ObjectPiece _piece;
    private readonly JsonLayout _layout;

    internal NotebookCell(NotebookFile notebook, ObjectPiece piece, JsonLayout layout, int index)
    {
        _notebook = notebook;
        _piece = piece;
        _layout = layout;
        Index = index;
        CellType = Text("cell_type"u8) ?? throw notebook.Invalid(index, "cell_type", "is missing or not a string");
        ReadOnlyMemory<byte> id = piece.Raw("id"u8);
        Id = id.IsEmpty ? null : Text("id"u8) ?? throw notebook.Invalid(index, "id", "is not a string");
        Source = ReadSource();
        CheckKind("metadata"u8, (byte)'{', "is not an object");
        CheckKind("outputs"u8, (byte)'[', "is not a list");
        Tags = ReadTags();
    }

    /// <summary>0-based, markdown cells included; moves when a cell is inserted before it.</summary>
    public int Index { get; internal set; }

    /// <summary>Null in a notebook before 4.5.</summary>
    public string? Id { get; private set; }

    /// <summary><c>code</c>, <c>markdown</c>, <c>raw</c>, or what a later format adds.</summary>
    public string CellType { get; }

    public bool IsCode => CellType == "code";

    public string Source { get; private set; }

    public IReadOnlyList<string> Tags { get; }

    /// <summary>
    /// Which execution wrote this cell's outputs and how it ended, from <c>metadata.holdfast</c>; null if none of ours did.
    /// </summary>
    public CellMark? Mark
    {
        get
        {
            ObjectPiece? mark = _piece.Open("metadata"u8, create: false)?.Open("holdfast"u8, create: false);
            return mark is not null && Text(mark, "executionId"u8) is { } execution && Text(mark, "state"u8) is { } state
                ? new CellMark(execution, state)
                : null;
        }
    }

    public int? ExecutionCount =>
        System.Buffers.Text.Utf8Parser.TryParse(_piece.Raw("execution_count"u8).Span, out int count, out _) ? count : null;

    /// <summary>
    /// Replaces the outputs by what the fold holds now, and count and times with it. The fold may go on and be written again.
    /// </summary>
    /// <param name="inlineBytesMax">Where a value is longer than so many bytes, a short text stands for it.</param>
    public void SetResult(OutputFold fold, int inlineBytesMax = int.MaxValue)
    {
        JsonText text = new(_layout, Depth + 1);
        fold.WriteOutputs(text, inlineBytesMax);
        _piece.Set("outputs"u8, text.ToPiece());
        SetAssets(fold.Kept(inlineBytesMax));
        SetExecutionCount(fold.ExecutionCount);
        SetTimes(fold.Times);
    }

    /// <summary>Takes away outputs, count and times: how a cell looks when its execution has been accepted and has not begun.</summary>
    public void ClearResult()
    {
        Set("outputs"u8, "[]"u8.ToArray());
        SetAssets([]);
        SetExecutionCount(null);
        SetTimes(default);
    }

    /// <summary>Does not run in a reactive notebook, and nor does what needs it: <c>metadata.holdfast.disabled</c>.</summary>
    public bool IsDisabled =>
        _piece.Open("metadata"u8, create: false)?.Open("holdfast"u8, create: false)?.Raw("disabled"u8).Span.SequenceEqual("true"u8) == true;

    public void SetDisabled(bool isDisabled)
    {
        if (isDisabled == IsDisabled)
        {
            return;
        }

        if (isDisabled)
        {
            OpenOurs().Set("disabled"u8, new RawPiece("true"u8.ToArray()));
        }
        else
        {
            ObjectPiece ours = OpenOurs();
            ours.Remove("disabled"u8);
            if (ours.IsEmpty)
            {
                _piece.Open("metadata"u8, create: true)!.Remove("holdfast"u8);
            }
        }

        _notebook.Touch();
    }

    private ObjectPiece OpenOurs()
    {
        ObjectPiece metadata = _piece.Open("metadata"u8, create: true)!;
        if (metadata.Open("holdfast"u8, create: true) is { } ours)
        {
            return ours;
        }

        metadata.Remove("holdfast"u8);
        return metadata.Open("holdfast"u8, create: true)!;
    }

    /// <summary>What else stands in <c>metadata.holdfast</c> and is somebody's wish stays.</summary>
    public void SetMark(CellMark mark)
    {
        ObjectPiece holdfast = OpenOurs();
        holdfast.Remove("conflict"u8);
        holdfast.Set("executionId"u8, Quoted(mark.ExecutionId));
        holdfast.Set("state"u8, Quoted(mark.State));
        _notebook.Touch();
    }

    /// <summary>
    /// Tells in <c>metadata.holdfast.assets</c> of all that is kept elsewhere: an output of a stream has no metadata of its own.
    /// </summary>
    private void SetAssets(List<AssetMark> marks)
    {
        if (marks.Count == 0)
        {
            _piece.Open("metadata"u8, create: false)?.Open("holdfast"u8, create: false)?.Remove("assets"u8);
            return;
        }

        JsonText text = new(_layout, Depth + 3);
        text.StartArray();
        foreach (AssetMark mark in marks)
        {
            text.Element();
            LargeBundle.WriteMark(mark, text);
        }

        text.EndArray();
        _piece.Open("metadata"u8, create: true)!.Open("holdfast"u8, create: true)?.Set("assets"u8, new RawPiece(text.ToArray()));
    }

    private RawPiece Quoted(string value)
    {
        JsonText text = new(_layout, Depth + 3);
        text.String(Encoding.UTF8.GetBytes(value));
        return new RawPiece(text.ToArray());
    }

    /// <summary>
    /// Tells in <c>metadata.holdfast.conflict</c> of an execution whose outputs are not here, because this is no longer the source that
    /// ran. A save leaves it out.
    /// </summary>
    public void SetConflict(CellMark mark)
    {
        JsonText text = new(_layout, Depth + 3);
        text.StartObject();
        text.Name("executionId"u8);
        text.String(Encoding.UTF8.GetBytes(mark.ExecutionId));
        text.Name("reason"u8);
        text.String("sourceChanged"u8);
        text.Name("state"u8);
        text.String(Encoding.UTF8.GetBytes(mark.State));
        text.EndObject();
        if (_piece.Open("metadata"u8, create: true)?.Open("holdfast"u8, create: true) is { } holdfast)
        {
            holdfast.Set("conflict"u8, new RawPiece(text.ToArray()));
            _notebook.Touch();
        }
    }

    public void SetExecutionCount(int? count)
    {
        JsonText text = new(_layout, Depth + 1);
        if (count is { } number)
        {
            text.Number(number);
        }
        else
        {
            text.Raw("null"u8);
        }

        Set("execution_count"u8, text.ToArray());
    }

    /// <summary>Sets <c>metadata.execution</c> to these times, or removes it if there are none.</summary>
    public void SetTimes(ExecutionTimes times)
    {
        if (times == default)
        {
            if (_piece.Open("metadata"u8, create: false) is { } metadata && metadata.Find("execution"u8) is not null)
            {
                metadata.Remove("execution"u8);
                _notebook.Touch();
            }

            return;
        }

        JsonText text = new(_layout, Depth + 2);
        times.Write(text);
        SetMetadata("execution"u8, text.ToArray());
    }

    internal void GiveId(string id)
    {
        Id = id;
        Set("id"u8, Encoding.UTF8.GetBytes($"\"{id}\""));
    }

    internal void SetSource(string source)
    {
        JsonText text = new(_layout, Depth + 1);
        text.Lines(Encoding.UTF8.GetBytes(source));
        Set("source"u8, text.ToArray());
        Source = source;
    }

    private static string? Text(ObjectPiece piece, ReadOnlySpan<byte> name) =>
        piece.Raw(name).Span is [(byte)'"', ..] and var quoted ? JsonStrings.ToText(quoted) : null;

    private string? Text(ReadOnlySpan<byte> name) => Text(_piece, name);

    private void Set(ReadOnlySpan<byte> name, ReadOnlyMemory<byte> value)
    {
        _piece.Set(name, new RawPiece(value));
        _notebook.Touch();
    }

    private void SetMetadata(ReadOnlySpan<byte> name, ReadOnlyMemory<byte> value)
    {
        _piece.Open("metadata"u8, create: true)!.Set(name, new RawPiece(value));
        _notebook.Touch();
    }

    private void CheckKind(ReadOnlySpan<byte> name, byte opening, string what)
    {
        ReadOnlySpan<byte> value = _piece.Raw(name).Span;
        if (!value.IsEmpty && value[0] != opening)
        {
            throw _notebook.Invalid(Index, Encoding.UTF8.GetString(name), what);
        }
    }

    /// <summary>
    /// The source's text, from a string or a list of strings. Half a surrogate pair is refused: running other code than is written would be
    /// worse.
    /// </summary>
    private string ReadSource()
    {
        ReadOnlySpan<byte> value = _piece.Raw("source"u8).Span;
        ArrayBufferWriter<byte> source = new();
        switch (value)
        {
            case [(byte)'"', ..]:
                AddSource(value, source);
                break;
            case [(byte)'[', ..]:
                JsonParts lines = new(value);
                while (lines.MoveNext())
                {
                    if (lines.Value is not [(byte)'"', ..])
                    {
                        throw _notebook.Invalid(Index, "source", "holds something else than strings");
                    }

                    AddSource(lines.Value, source);
                }

                break;
            default:
                throw _notebook.Invalid(Index, "source", value.IsEmpty ? "is missing" : "is neither a string nor a list of strings");
        }

        return Encoding.UTF8.GetString(source.WrittenSpan);
    }

    private void AddSource(ReadOnlySpan<byte> quoted, ArrayBufferWriter<byte> source)
    {
        int start = source.WrittenCount;
        JsonStrings.Decode(quoted, source);
        if (
            source.WrittenSpan[start..].IndexOf("\uFFFD"u8) >= 0
            && quoted.IndexOf("\uFFFD"u8) < 0
            && quoted.IndexOf("\\ufffd"u8) < 0
            && quoted.IndexOf("\\uFFFD"u8) < 0
        )
        {
            throw _notebook.Invalid(Index, "source", "holds half a surrogate pair, which no kernel can be sent");
        }
    }

    private List<string> ReadTags()
    {
        List<string> tags = [];
        ReadOnlySpan<byte> list = _piece.Open("metadata"u8, create: false) is { } metadata ? metadata.Raw("tags"u8).Span : default;
        if (list is [(byte)'[', ..])
        {
            JsonParts parts = new(list);
            while (parts.MoveNext())
            {
                if (parts.Value is [(byte)'"', ..])
                {
                    tags.Add(JsonStrings.ToText(parts.Value));
                }
            }
        }

        return tags;
    }
}

/// <summary>What a run leaves in <c>metadata.holdfast</c>: which execution these outputs came from, and its state.</summary>
/// <param name="State">A state of DESIGN's table in camelCase: <c>running</c>, <c>succeeded</c>, <c>failed</c>, ….</param>
public readonly record struct CellMark(string ExecutionId, string State);
