namespace Holdfast.Engine.Notebooks.Json;

/// <summary>An opened array.</summary>
internal sealed class ArrayPiece : JsonPiece
{
    private static readonly ReadOnlyMemory<byte> Opening = "["u8.ToArray();
    private static readonly ReadOnlyMemory<byte> Closing = "]"u8.ToArray();

    private readonly JsonLayout _layout;
    private readonly int _depth;
    private readonly List<Element> _elements = [];
    private readonly ReadOnlyMemory<byte> _inside;

    public ArrayPiece(ReadOnlyMemory<byte> text, JsonLayout layout, int depth, Func<ReadOnlyMemory<byte>, JsonPiece> open)
    {
        _layout = layout;
        _depth = depth;
        _inside = EmptyInside(text);
        JsonParts parts = new(text.Span);
        while (parts.MoveNext())
        {
            _elements.Add(
                new Element
                {
                    Before = text[parts.WholeRange.Start.Value..parts.ValueRange.Start.Value],
                    Value = open(text[parts.ValueRange]),
                    After = text[parts.ValueRange.End.Value..parts.WholeRange.End.Value],
                }
            );
        }
    }

    public int Count => _elements.Count;

    public JsonPiece this[int index] => _elements[index].Value;

    public void Insert(int index, JsonPiece value)
    {
        bool isFirst = index == 0;
        Element added = new() { Before = _layout.Lead(_depth + 1, isFirst), Value = value };
        if (index == _elements.Count)
        {
            added.After = isFirst ? _layout.Break(_depth) : _elements[^1].After;
            if (!isFirst)
            {
                _elements[^1].After = default;
            }
        }
        else if (isFirst)
        {
            added.Before = _elements[0].Before;
            _elements[0].Before = _layout.Lead(_depth + 1, isFirst: false);
        }

        _elements.Insert(index, added);
    }

    public void RemoveAt(int index)
    {
        Element removed = _elements[index];
        _elements.RemoveAt(index);
        if (index == 0 && Count > 0)
        {
            _elements[0].Before = removed.Before;
        }
        else if (index == Count && Count > 0)
        {
            _elements[^1].After = removed.After;
        }
    }

    public override void Write(Action<ReadOnlyMemory<byte>> output)
    {
        output(Opening);
        if (Count == 0)
        {
            output(_inside);
        }

        for (int i = 0; i < _elements.Count; i++)
        {
            if (i > 0)
            {
                output(Comma);
            }

            output(_elements[i].Before);
            _elements[i].Value.Write(output);
            output(_elements[i].After);
        }

        output(Closing);
    }

    private sealed class Element
    {
        public ReadOnlyMemory<byte> Before { get; set; }

        public required JsonPiece Value { get; init; }

        public ReadOnlyMemory<byte> After { get; set; }
    }
}
