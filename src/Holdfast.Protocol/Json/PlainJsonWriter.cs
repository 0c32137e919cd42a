using System.Globalization;

namespace Holdfast.Protocol.Json;

/// <summary>
/// Writes small JSON objects, with the names of Utf8JsonWriter and for the reasons of <see cref="PlainJsonReader"/>. Texts are written as
/// UTF-8, escaped only where JSON asks for it; half of a surrogate pair becomes U+FFFD. Checks nothing: who calls it knows what a whole
/// object is.
/// </summary>
public sealed class PlainJsonWriter
{
    private const int DigitsMax = 20;
    private const int EscapeBytesMax = 6; // \u00XX
    private byte[] _buffer = new byte[512];
    private int _length;
    private bool _needsComma;

    public ReadOnlySpan<byte> Written => new(_buffer, 0, _length);

    public void WriteStartObject() => Open('{');

    public void WriteStartObject(string name)
    {
        WriteName(name);
        Open('{');
    }

    public void WriteEndObject() => Close('}');

    public void WriteStartArray(string name)
    {
        WriteName(name);
        Open('[');
    }

    public void WriteEndArray() => Close(']');

    public void WriteString(string name, string value) => WriteString(name.AsSpan(), value.AsSpan());

    public void WriteString(ReadOnlySpan<char> name, ReadOnlySpan<char> value)
    {
        WriteName(name);
        WriteText(value);
    }

    public void WriteStringValue(string value)
    {
        Separate();
        WriteText(value);
    }

    public void WriteNumber(string name, long value)
    {
        WriteName(name);
        Reserve(DigitsMax);
        _ = value.TryFormat(_buffer.AsSpan(_length), out int written, default, CultureInfo.InvariantCulture);
        _length += written;
        _needsComma = true;
    }

    public void WriteBoolean(string name, bool value)
    {
        WriteName(name);
        Put(value ? "true"u8 : "false"u8);
        _needsComma = true;
    }

    public void WriteBase64String(string name, byte[] bytes) => WriteString(name, Convert.ToBase64String(bytes));

    /// <summary>Bytes as they are, after the object: a final newline.</summary>
    public void WriteRaw(ReadOnlySpan<byte> bytes) => Put(bytes);

    private void Open(char bracket)
    {
        Separate();
        Put((byte)bracket);
        _needsComma = false;
    }

    private void Close(char bracket)
    {
        Put((byte)bracket);
        _needsComma = true;
    }

    private void WriteName(ReadOnlySpan<char> name)
    {
        WriteStringPart(name);
        Put((byte)':');
        _needsComma = false;
    }

    private void WriteStringPart(ReadOnlySpan<char> name)
    {
        Separate();
        WriteText(name);
    }

    private void Separate()
    {
        if (_needsComma)
        {
            Put((byte)',');
        }
    }

    private void WriteText(ReadOnlySpan<char> text)
    {
        Reserve(2 + text.Length);
        _buffer[_length++] = (byte)'"';
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c is >= ' ' and < '\x7f' and not ('"' or '\\'))
            {
                _buffer[_length++] = (byte)c;
                continue;
            }

            Reserve(1 + EscapeBytesMax + text.Length - i);
            if (c < 0x80)
            {
                PutEscaped(c);
            }
            else if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                PutEncoded(char.ConvertToUtf32(c, text[++i]));
            }
            else
            {
                PutEncoded(char.IsSurrogate(c) ? 0xFFFD : c);
            }
        }

        _buffer[_length++] = (byte)'"';
        _needsComma = true;
    }

    private void PutEscaped(char c)
    {
        _buffer[_length++] = (byte)'\\';
        switch (c)
        {
            case '"' or '\\':
                _buffer[_length++] = (byte)c;
                break;
            case '\n':
                _buffer[_length++] = (byte)'n';
                break;
            case '\r':
                _buffer[_length++] = (byte)'r';
                break;
            case '\t':
                _buffer[_length++] = (byte)'t';
                break;
            default:
                ReadOnlySpan<byte> digits = "0123456789abcdef"u8;
                _buffer[_length++] = (byte)'u';
                _buffer[_length++] = (byte)'0';
                _buffer[_length++] = (byte)'0';
                _buffer[_length++] = digits[c >> 4];
                _buffer[_length++] = digits[c & 15];
                break;
        }
    }

    private void PutEncoded(int rune)
    {
        if (rune < 0x800)
        {
            _buffer[_length++] = (byte)(0xC0 | (rune >> 6));
        }
        else
        {
            if (rune < 0x10000)
            {
                _buffer[_length++] = (byte)(0xE0 | (rune >> 12));
            }
            else
            {
                _buffer[_length++] = (byte)(0xF0 | (rune >> 18));
                _buffer[_length++] = (byte)(0x80 | ((rune >> 12) & 0x3F));
            }

            _buffer[_length++] = (byte)(0x80 | ((rune >> 6) & 0x3F));
        }

        _buffer[_length++] = (byte)(0x80 | (rune & 0x3F));
    }

    private void Put(byte one)
    {
        Reserve(1);
        _buffer[_length++] = one;
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Reserve(int count)
    {
        if (_buffer.Length - _length < count)
        {
            byte[] larger = new byte[Math.Max(_buffer.Length * 2, _length + count)];
            Buffer.BlockCopy(_buffer, 0, larger, 0, _length);
            _buffer = larger;
        }
    }
}
