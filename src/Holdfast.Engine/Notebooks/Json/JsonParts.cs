namespace Holdfast.Engine.Notebooks.Json;

/// <summary>
/// The parts of one object or array, as ranges of its text, in order. The text is one whole value; what lies inside a part is scanned but
/// not decoded.
/// </summary>
internal ref struct JsonParts
{
    private readonly ReadOnlySpan<byte> _text;
    private readonly byte _close;
    private int _at;
    private bool _done;

    /// <param name="text">One object or array, from its opening bracket on.</param>
    public JsonParts(ReadOnlySpan<byte> text)
    {
        _text = text;
        _close =
            text is [(byte)'{', ..] ? (byte)'}'
            : text is [(byte)'[', ..] ? (byte)']'
            : throw new JsonTextException(0, "an object or a list was expected");
        _at = 1;
    }

    /// <summary>The name with its quotes; empty in an array.</summary>
    public Range NameRange { get; private set; }

    public Range ValueRange { get; private set; }

    /// <summary>Everything this part owns: from the bracket or comma before it to the comma or bracket after it.</summary>
    public Range WholeRange { get; private set; }

    /// <summary>Where the value ends, past its closing bracket; right only when <see cref="MoveNext"/> has said false.</summary>
    public readonly int End => _at;

    public readonly ReadOnlySpan<byte> Name => _text[NameRange];

    public readonly ReadOnlySpan<byte> Value => _text[ValueRange];

    public bool MoveNext()
    {
        if (_done)
        {
            return false;
        }

        int whole = _at;
        int at = JsonScan.SkipWhitespace(_text, _at);
        bool isFirst = ValueRange.Equals(default);
        if (isFirst && at < _text.Length && _text[at] == _close)
        {
            return Finish(at);
        }

        if (_close == (byte)'}')
        {
            if (at >= _text.Length || _text[at] != (byte)'"')
            {
                throw new JsonTextException(at, "a name in double quotes was expected");
            }

            int nameEnd = JsonScan.SkipString(_text, at);
            NameRange = at..nameEnd;
            at = JsonScan.SkipWhitespace(_text, nameEnd);
            if (at >= _text.Length || _text[at] != (byte)':')
            {
                throw new JsonTextException(at, "a colon was expected");
            }

            at = JsonScan.SkipWhitespace(_text, at + 1);
        }

        int valueEnd = JsonScan.SkipValue(_text, at);
        ValueRange = at..valueEnd;
        at = JsonScan.SkipWhitespace(_text, valueEnd);
        byte next = at < _text.Length ? _text[at] : (byte)0;
        WholeRange = whole..at;
        if (next == _close)
        {
            _ = Finish(at);
        }
        else if (next == (byte)',')
        {
            _at = at + 1;
        }
        else
        {
            throw new JsonTextException(at, $"a comma or {(char)_close} was expected");
        }

        return true;
    }

    private bool Finish(int at)
    {
        _done = true;
        _at = at + 1;
        return false;
    }
}
