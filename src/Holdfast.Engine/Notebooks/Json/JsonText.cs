using System.Buffers;
using System.Globalization;

namespace Holdfast.Engine.Notebooks.Json;

/// <summary>
/// Writes JSON as Python's <c>json.dumps(indent=…, ensure_ascii=False, sort_keys=True)</c> does, in a file's own layout: the same
/// escapes, the same empty brackets, numbers as their text. The caller writes names in order; copied values are sorted here.
/// </summary>
internal sealed class JsonText(JsonLayout layout, int depth)
{
    private static readonly SearchValues<byte> Escaped = SearchValues.Create([
        .. Enumerable.Range(0, 0x20).Select(i => (byte)i),
        (byte)'"',
        (byte)'\\',
    ]);

    private readonly Segments _output = new();
    private int _depth = depth;
    private bool _isFirst = true;

    public byte[] ToArray() => _output.ToArray();

    /// <summary>The text as a piece of a file, without copying it together; it must not be written on.</summary>
    public JsonPiece ToPiece() => new SegmentsPiece(_output);

    public void StartObject() => Open((byte)'{');

    public void EndObject() => Close((byte)'}');

    public void StartArray() => Open((byte)'[');

    public void EndArray() => Close((byte)']');

    /// <summary>A member's name; its value must follow.</summary>
    public void Name(ReadOnlySpan<byte> name)
    {
        Separate();
        Quote(name);
        _output.Write(layout.Colon);
    }

    /// <summary>Before each element of an array.</summary>
    public void Element() => Separate();

    public void String(ReadOnlySpan<byte> utf8) => Quote(utf8);

    public void Number(long value)
    {
        Span<byte> digits = stackalloc byte[20];
        _ = value.TryFormat(digits, out int length, provider: CultureInfo.InvariantCulture);
        _output.Write(digits[..length]);
    }

    /// <summary>A literal or a number, as its text.</summary>
    public void Raw(ReadOnlySpan<byte> text) => _output.Write(text);

    /// <summary>Text as nbformat stores it: the list of its lines, each with its ending.</summary>
    public void Lines(ReadOnlySpan<byte> utf8)
    {
        StartArray();
        while (!utf8.IsEmpty)
        {
            int length = TextLines.FirstLength(utf8);
            Element();
            Quote(utf8[..length]);
            utf8 = utf8[length..];
        }

        EndArray();
    }

    /// <summary>
    /// Copies a value from elsewhere: names sorted at every level as nbformat sorts them, the last of equal names kept, numbers as they
    /// stand.
    /// </summary>
    public void Value(ReadOnlySpan<byte> value)
    {
        switch (value[0])
        {
            case (byte)'{':
                List<(byte[] Name, int Start, int Length)> members = SortedMembers(value);
                StartObject();
                foreach ((byte[] name, int start, int length) in members)
                {
                    Name(name);
                    Value(value.Slice(start, length));
                }

                EndObject();
                break;
            case (byte)'[':
                StartArray();
                JsonParts elements = new(value);
                while (elements.MoveNext())
                {
                    Element();
                    Value(elements.Value);
                }

                EndArray();
                break;
            case (byte)'"':
                ArrayBufferWriter<byte> scratch = new();
                Quote(JsonStrings.ToUtf8(value, scratch));
                break;
            default:
                _output.Write(value);
                break;
        }
    }

    /// <summary>The members of an object in the order of their names' code points, which is the order of their UTF-8 bytes.</summary>
    public static List<(byte[] Name, int Start, int Length)> SortedMembers(ReadOnlySpan<byte> value)
    {
        List<(byte[] Name, int Start, int Length)> members = [];
        JsonParts parts = new(value);
        while (parts.MoveNext())
        {
            ArrayBufferWriter<byte> name = new(parts.Name.Length + 1);
            JsonStrings.Decode(parts.Name, name);
            byte[] decoded = name.WrittenSpan.ToArray();
            int start = parts.ValueRange.Start.Value;
            members.Add((decoded, start, parts.ValueRange.End.Value - start));
        }

        members.Sort(
            static (a, b) => a.Name.AsSpan().SequenceCompareTo(b.Name) is not 0 and var order ? order : a.Start.CompareTo(b.Start)
        );
        for (int i = members.Count - 1; i > 0; i--)
        {
            if (members[i].Name.AsSpan().SequenceEqual(members[i - 1].Name))
            {
                members.RemoveAt(i - 1);
            }
        }

        return members;
    }

    private void Open(byte bracket)
    {
        Byte(bracket);
        _depth++;
        _isFirst = true;
    }

    private void Close(byte bracket)
    {
        _depth--;
        if (!_isFirst)
        {
            _output.Write(layout.Break(_depth).Span);
        }

        Byte(bracket);
        _isFirst = false;
    }

    private void Separate()
    {
        if (!_isFirst)
        {
            Byte((byte)',');
        }

        _output.Write(layout.Lead(_depth, _isFirst).Span);
        _isFirst = false;
    }

    private void Quote(ReadOnlySpan<byte> utf8)
    {
        Byte((byte)'"');
        while (true)
        {
            int run = utf8.IndexOfAny(Escaped);
            if (run < 0)
            {
                break;
            }

            _output.Write(utf8[..run]);
            Escape(utf8[run]);
            utf8 = utf8[(run + 1)..];
        }

        _output.Write(utf8);
        Byte((byte)'"');
    }

    private void Escape(byte value)
    {
        switch (value)
        {
            case (byte)'"':
                _output.Write("\\\""u8);
                break;
            case (byte)'\\':
                _output.Write("\\\\"u8);
                break;
            case (byte)'\n':
                _output.Write("\\n"u8);
                break;
            case (byte)'\r':
                _output.Write("\\r"u8);
                break;
            case (byte)'\t':
                _output.Write("\\t"u8);
                break;
            case (byte)'\b':
                _output.Write("\\b"u8);
                break;
            case (byte)'\f':
                _output.Write("\\f"u8);
                break;
            default:
                _output.Write("\\u00"u8);
                Byte(value < 0x10 ? (byte)'0' : (byte)'1');
                Byte("0123456789abcdef"u8[value & 0xF]);
                break;
        }
    }

    private void Byte(byte value)
    {
        _output.GetSpan(1)[0] = value;
        _output.Advance(1);
    }
}
