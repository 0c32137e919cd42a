namespace Holdfast.Protocol.Json;

/// <summary>
/// Reads JSON (RFC 8259) token by token, as Utf8JsonReader does and with its names. For what a supervisor reads at its start: the
/// framework's reader brings an assembly and a dozen methods that must be compiled at run time, ten milliseconds and a megabyte in each of
/// many processes. This one is a plain loop over bytes, right for small texts and slow for large ones. Throws
/// <see cref="JsonSyntaxException"/>.
/// </summary>
public ref struct PlainJsonReader
{
    private const int DepthMax = 64;
    private readonly ReadOnlySpan<byte> _text;
    private int _position;

    // One bit for each open container, 1 for an object; the innermost is the lowest.
    private ulong _containers;
    private int _depth;
    private bool _needsComma;
    private bool _isAfterName;
    private int _valueStart;
    private int _valueEnd;
    private bool _hasEscape;

    public PlainJsonReader(ReadOnlySpan<byte> text) => _text = text;

    public JsonToken TokenType { get; private set; }

    private readonly bool IsInObject => _depth > 0 && (_containers & 1) != 0;

    /// <summary>Moves to the next token; false at the end of a whole text.</summary>
    public bool Read()
    {
        SkipSpace();
        if (_position == _text.Length)
        {
            return _depth == 0 && TokenType != JsonToken.None && !_isAfterName ? false : throw Bad("ends too early");
        }

        byte next = _text[_position];
        if (_depth == 0 && TokenType != JsonToken.None)
        {
            throw Bad("goes on after its end");
        }

        if (next is (byte)'}' or (byte)']')
        {
            return Close(next);
        }

        if (_needsComma)
        {
            if (next != ',')
            {
                throw Bad("lacks a comma");
            }

            _position++;
            SkipSpace();
            next = Peek();
            if (next is (byte)'}' or (byte)']')
            {
                throw Bad("has a comma too many");
            }
        }

        if (IsInObject && !_isAfterName)
        {
            ReadName(next);
        }
        else
        {
            _isAfterName = false;
            ReadValue(next);
        }

        return true;
    }

    /// <summary>Passes over the value of a name, or the rest of a container that has just begun.</summary>
    public void Skip()
    {
        if (TokenType == JsonToken.PropertyName)
        {
            Read();
        }

        if (TokenType is not (JsonToken.StartObject or JsonToken.StartArray))
        {
            return;
        }

        int depth = _depth;
        while (_depth >= depth)
        {
            Read();
        }
    }

    /// <summary>A text or a name; null for null.</summary>
    public readonly string? GetString()
    {
        if (TokenType == JsonToken.Null)
        {
            return null;
        }

        if (TokenType is not (JsonToken.String or JsonToken.PropertyName))
        {
            throw Bad($"has a {TokenType} where a text belongs");
        }

        ReadOnlySpan<byte> raw = _text[_valueStart.._valueEnd];
        return _hasEscape ? PlainJsonText.Unescape(raw, _position) : PlainJsonText.Decode(raw, _position);
    }

    public readonly bool GetBoolean() =>
        TokenType switch
        {
            JsonToken.True => true,
            JsonToken.False => false,
            _ => throw Bad($"has a {TokenType} where true or false belongs"),
        };

    public readonly int GetInt32()
    {
        long value = GetInt64();
        return value is >= int.MinValue and <= int.MaxValue ? (int)value : throw Bad("has a number that is too large");
    }

    /// <summary>A whole number, without fraction or exponent.</summary>
    public readonly long GetInt64()
    {
        if (TokenType != JsonToken.Number)
        {
            throw Bad($"has a {TokenType} where a number belongs");
        }

        ReadOnlySpan<byte> digits = _text[_valueStart.._valueEnd];
        bool isNegative = digits[0] == '-';

        // Gathered below zero, where there is room for the smallest number too.
        long value = 0;
        for (int i = isNegative ? 1 : 0; i < digits.Length; i++)
        {
            int digit = digits[i] - '0';
            if (digit is < 0 or > 9 || value < (long.MinValue + digit) / 10)
            {
                throw Bad("has a number that is no whole number of 64 bits");
            }

            value = (value * 10) - digit;
        }

        if (!isNegative && value == long.MinValue)
        {
            throw Bad("has a number that is no whole number of 64 bits");
        }

        return isNegative ? value : -value;
    }

    public readonly byte[] GetBytesFromBase64()
    {
        string text = GetString() ?? throw Bad("has a null where base64 belongs");
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            throw Bad("has a text that is no base64");
        }
    }

    private void SkipSpace()
    {
        while (_position < _text.Length && _text[_position] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            _position++;
        }
    }

    private readonly byte Peek() => _position < _text.Length ? _text[_position] : throw Bad("ends too early");

    private bool Close(byte bracket)
    {
        if (_depth == 0 || _isAfterName || IsInObject != (bracket == '}'))
        {
            throw Bad("has a bracket that closes nothing");
        }

        _position++;
        _containers >>= 1;
        _depth--;
        _needsComma = true;
        TokenType = bracket == '}' ? JsonToken.EndObject : JsonToken.EndArray;
        return true;
    }

    private void ReadName(byte next)
    {
        if (next != '"')
        {
            throw Bad("lacks a name");
        }

        ReadText();
        SkipSpace();
        if (Peek() != ':')
        {
            throw Bad("lacks a colon");
        }

        _position++;
        _isAfterName = true;
        _needsComma = false;
        TokenType = JsonToken.PropertyName;
    }

    private void ReadValue(byte next)
    {
        _needsComma = true;
        switch (next)
        {
            case (byte)'{' or (byte)'[':
                Open(next == '{');
                break;
            case (byte)'"':
                ReadText();
                TokenType = JsonToken.String;
                break;
            case (byte)'t':
                ReadWord("true"u8, JsonToken.True);
                break;
            case (byte)'f':
                ReadWord("false"u8, JsonToken.False);
                break;
            case (byte)'n':
                ReadWord("null"u8, JsonToken.Null);
                break;
            default:
                ReadNumber();
                break;
        }
    }

    private void Open(bool isObject)
    {
        if (_depth == DepthMax)
        {
            throw Bad($"is nested deeper than {DepthMax}");
        }

        _position++;
        _containers = (_containers << 1) | (isObject ? 1UL : 0);
        _depth++;
        _needsComma = false;
        TokenType = isObject ? JsonToken.StartObject : JsonToken.StartArray;
    }

    private void ReadText()
    {
        _valueStart = ++_position;
        _hasEscape = false;
        while (true)
        {
            byte next = Peek();
            if (next == '"')
            {
                _valueEnd = _position++;
                return;
            }

            if (next < ' ')
            {
                throw Bad("has a control character in a text");
            }

            _position++;
            if (next == '\\')
            {
                _hasEscape = true;
                ReadEscape();
            }
        }
    }

    private void ReadEscape()
    {
        byte escape = Peek();
        _position++;
        if (escape == 'u')
        {
            for (int i = 0; i < 4; i++)
            {
                _ = PlainJsonText.HexDigit(Peek(), _position);
                _position++;
            }
        }
        else if (escape is not ((byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t'))
        {
            throw Bad("has an escape that is not known");
        }
    }

    private void ReadWord(ReadOnlySpan<byte> word, JsonToken token)
    {
        if (!_text[_position..].StartsWith(word))
        {
            throw Bad("has a word that is not known");
        }

        _position += word.Length;
        TokenType = token;
    }

    private void ReadNumber()
    {
        _valueStart = _position;
        if (Peek() == '-')
        {
            _position++;
        }

        if (Peek() == '0')
        {
            _position++;
        }
        else
        {
            ReadDigits();
        }

        if (_position < _text.Length && _text[_position] == '.')
        {
            _position++;
            ReadDigits();
        }

        if (_position < _text.Length && _text[_position] is (byte)'e' or (byte)'E')
        {
            _position++;
            if (Peek() is (byte)'+' or (byte)'-')
            {
                _position++;
            }

            ReadDigits();
        }

        _valueEnd = _position;
        TokenType = JsonToken.Number;
    }

    private void ReadDigits()
    {
        if (Peek() is < (byte)'0' or > (byte)'9')
        {
            throw Bad("has something that is no value");
        }

        while (_position < _text.Length && _text[_position] is >= (byte)'0' and <= (byte)'9')
        {
            _position++;
        }
    }

    private readonly JsonSyntaxException Bad(string what) => new(what, _position);
}
