using System.Buffers;
using System.Text;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Finds one text inside a JSON object while the JSON comes piece by piece, undoes its escapes, counts its UTF-8 bytes and, where wanted,
/// gives them on as they come: output of 100 MB is counted or sent without ever being in memory. The text is named by one key, or by a key
/// within the object of another.
/// </summary>
/// <param name="into">Where the text goes; null when it is only to be counted.</param>
internal sealed class JsonTextFinder(ReadOnlyMemory<byte> outerKey, ReadOnlyMemory<byte> innerKey, IBufferWriter<byte>? into = null)
{
    private const int KeyBytesMax = 32; // Longer keys are none of ours.
    private readonly byte[] _key = new byte[KeyBytesMax];
    private int _keyLength;
    private int _depth;
    private ulong _isObject; // By depth, as far as it matters.
    private bool _isKeyNext;
    private bool _isInString;
    private bool _isKey;
    private bool _isCounted;
    private bool _isInOuter;
    private int _escape; // 0: none; 1: after a backslash; 2 to 5: digits of \u still to come, less one.
    private int _unit;
    private char _high; // The first half of a pair whose second is to come; 0: none.

    /// <summary>The bytes counted so far; null while the text was not met.</summary>
    public long? Count { get; private set; }

    /// <summary>Whether what is found goes anywhere.</summary>
    public bool IsKept => into is not null;

    public void Add(ReadOnlySpan<byte> json)
    {
        while (!json.IsEmpty)
        {
            if (_isInString && _escape == 0)
            {
                FlushHalf(json[0] == '\\');
                int plain = json.IndexOfAny((byte)'"', (byte)'\\');
                Take(plain < 0 ? json : json[..plain]);
                if (plain < 0)
                {
                    return;
                }

                json = json[plain..];
            }

            Step(json[0]);
            json = json[1..];
        }
    }

    private void Step(byte next)
    {
        if (_escape > 0)
        {
            Unescape(next);
        }
        else if (_isInString)
        {
            _isInString = next != '"';
            _escape = next == '\\' ? 1 : 0;
        }
        else
        {
            Structure(next);
        }
    }

    private void Structure(byte next)
    {
        switch (next)
        {
            case (byte)'"':
                _isInString = true;
                _isKey = _isKeyNext;
                _isCounted = !_isKey && IsWanted();
                Count = _isCounted ? Count ?? 0 : Count;
                _keyLength = _isKey ? 0 : _keyLength;
                break;
            case (byte)'{' or (byte)'[':
                _isInOuter |= _depth == 1 && next == '{' && IsKey(outerKey.Span);
                _depth++;
                ulong bit = _depth < 64 ? 1UL << _depth : 0;
                _isObject = next == '{' ? _isObject | bit : _isObject & ~bit;
                _isKeyNext = next == '{';
                break;
            case (byte)'}' or (byte)']':
                _depth--;
                _isInOuter &= _depth > 1;
                _isKeyNext = false;
                break;
            case (byte)',':
                _isKeyNext = _depth < 64 && (_isObject & (1UL << _depth)) != 0;
                break;
            case (byte)':':
                _isKeyNext = false;
                break;
        }
    }

    private bool IsWanted() => innerKey.IsEmpty ? _depth == 1 && IsKey(outerKey.Span) : _isInOuter && _depth == 2 && IsKey(innerKey.Span);

    private bool IsKey(ReadOnlySpan<byte> wanted) => _keyLength == wanted.Length && _key.AsSpan(0, _keyLength).SequenceEqual(wanted);

    private void Take(ReadOnlySpan<byte> plain)
    {
        if (_isKey)
        {
            // One byte past the end marks a key that is too long.
            int room = Math.Min(plain.Length, KeyBytesMax - Math.Min(_keyLength, KeyBytesMax));
            plain[..room].CopyTo(_key.AsSpan(Math.Min(_keyLength, KeyBytesMax)));
            _keyLength += plain.Length;
        }
        else if (_isCounted)
        {
            Count += plain.Length;
            into?.Write(plain);
        }
    }

    /// <summary>Half of a pair without its other half is no character.</summary>
    private void FlushHalf(bool mayBePair)
    {
        if (_high != 0 && !mayBePair)
        {
            _high = '\0';
            Put(Rune.ReplacementChar);
        }
    }

    private void Put(Rune rune)
    {
        Span<byte> bytes = stackalloc byte[4];
        Take(bytes[..rune.EncodeToUtf8(bytes)]);
    }

    private void Unescape(byte next)
    {
        if (_escape == 1)
        {
            _escape = next == 'u' ? 5 : 0;
            _unit = 0;
            if (_escape == 0)
            {
                FlushHalf(mayBePair: false);
                Take([Meant(next)]);
            }

            return;
        }

        _unit = (_unit << 4) | HexDigit(next);
        if (--_escape == 1)
        {
            _escape = 0;
            TakeUnit((char)_unit);
        }
    }

    private void TakeUnit(char unit)
    {
        if (_high != 0 && char.IsLowSurrogate(unit))
        {
            Rune pair = new(_high, unit);
            _high = '\0';
            Put(pair);
            return;
        }

        FlushHalf(mayBePair: false);
        if (char.IsHighSurrogate(unit))
        {
            _high = unit;
        }
        else
        {
            Put(char.IsSurrogate(unit) ? Rune.ReplacementChar : new Rune(unit));
        }
    }

    private static byte Meant(byte escaped) =>
        escaped switch
        {
            (byte)'n' => (byte)'\n',
            (byte)'r' => (byte)'\r',
            (byte)'t' => (byte)'\t',
            (byte)'b' => (byte)'\b',
            (byte)'f' => (byte)'\f',
            _ => escaped,
        };

    private static int HexDigit(byte digit) =>
        digit switch
        {
            >= (byte)'0' and <= (byte)'9' => digit - '0',
            >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
            >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
            _ => 0,
        };
}
