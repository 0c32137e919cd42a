using System.Buffers;
using System.Globalization;
using System.Text;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>
/// The text of one stream output, as a terminal would show it after the program has printed all of it, whatever pieces it came in.
/// 1. A line the program never goes back over is kept as printed, colours and foreign sequences included (CR LF becomes LF).
/// 2. At the first carriage return or backspace in a line that is not followed by its end, or at a sequence that moves the cursor in the
///    line or erases in it, the line becomes a <see cref="TerminalRow"/> until it ends. 3. Lines above the last are never changed: moves up
///    stay in the text as printed. Work is constant for a byte, once more when a line becomes a row.
/// </summary>
internal sealed class TerminalText(int bytesMax, OutputSpools? spools = null)
{
    private static readonly SearchValues<byte> Stops = SearchValues.Create([(byte)'\r', (byte)'\b', EscapeSequence.Escape]);

    private readonly OutputBytes _settled = new(bytesMax, spools);
    private readonly ArrayBufferWriter<byte> _rendered = new();
    private TerminalRow? _row;
    private byte[] _unfinished = [];

    // Where the last line starts in _settled, and the style the lines above left the terminal in.
    private int _lineStart;
    private SgrStyle _lineStyle;
    private SgrStyle _style;

    // Rule 2's two states: the cursor is back at the start of a line that may just be ending; the last line is in _row.
    private bool _isReturned;
    private bool _isRow;

    /// <summary>How long it is, but for a last line that is still being gone over.</summary>
    public long SettledLength => _settled.Count + _settled.Omitted;

    /// <summary>What of that is in memory.</summary>
    public long HeldLength => _settled.Count;

    /// <summary>What is in memory of its beginning, where the middle is not.</summary>
    public ReadOnlySpan<byte> Head => _settled.Omitted > 0 ? _settled.Span[.._settled.HeadLength] : default;

    /// <summary>The rest of what is in memory; all of it, where there is no gap.</summary>
    public byte[] Tail()
    {
        ArrayBufferWriter<byte> text = new(_settled.Count + 256);
        text.Write(_settled.Omitted > 0 ? _settled.Span[_settled.HeadLength..] : _settled.Span);
        if (_isRow)
        {
            text.Write(RenderRow());
        }

        text.Write(_unfinished);
        return text.WrittenSpan.ToArray();
    }

    /// <summary>Whether what is not in memory can be had from the spool.</summary>
    public bool IsWhole => _settled.Omitted == 0 || _settled.Spool is { IsBroken: false };

    /// <summary>All of it, as it stands.</summary>
    public Stream OpenWhole() =>
        _settled.Spool is { } spool
            ? new PartsStream(PartsStream.Part.Of(Head.ToArray()), spool.ToPart(), PartsStream.Part.Of(Tail()))
            : new PartsStream(PartsStream.Part.Of(Tail()));

    public void Append(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            if (_unfinished.Length > 0)
            {
                text = ContinueEscape(text);
            }
            else if (_isRow)
            {
                text = AppendToRow(text);
            }
            else if (_isReturned)
            {
                text = AppendAfterReturn(text);
            }
            else
            {
                text = AppendPlain(text);
            }
        }
    }

    /// <summary>The text as it stands; valid until the next <see cref="Append"/>.</summary>
    public ReadOnlySpan<byte> ToUtf8()
    {
        if (!_isRow && _unfinished.Length == 0 && _settled.Omitted == 0)
        {
            return _settled.Span;
        }

        ArrayBufferWriter<byte> text = new(_settled.Count + 256);
        text.Write(_settled.Span[.._settled.HeadLength]);
        if (_settled.Omitted > 0)
        {
            string notice = string.Create(
                CultureInfo.InvariantCulture,
                $"\n[holdfast: {_settled.Omitted:N0} bytes are left out here; the journal of this execution has them all]\n"
            );
            text.Write(Encoding.UTF8.GetBytes(notice));
            text.Write(_settled.Span[_settled.HeadLength..]);
        }

        if (_isRow)
        {
            text.Write(RenderRow());
        }

        text.Write(_unfinished);
        return text.WrittenSpan;
    }

    private ReadOnlySpan<byte> AppendPlain(ReadOnlySpan<byte> text)
    {
        int run = text.IndexOfAny(Stops);
        if (run != 0)
        {
            Settle(run < 0 ? text : text[..run]);
            return run < 0 ? default : text[run..];
        }

        switch (text[0])
        {
            case (byte)'\r':
                _isReturned = _settled.Count > _lineStart;
                return text[1..];
            case (byte)'\b':
                if (_settled.Count > _lineStart)
                {
                    EnterRow();
                    _row!.Back(1);
                }

                return text[1..];
            default:
                return TakeEscape(text);
        }
    }

    private ReadOnlySpan<byte> AppendAfterReturn(ReadOnlySpan<byte> text)
    {
        switch (text[0])
        {
            case (byte)'\n':
                _isReturned = false;
                Settle(text[..1]);
                return text[1..];
            case (byte)'\r' or (byte)'\b':
                return text[1..];
            default:
                _isReturned = false;
                EnterRow();
                _row!.Return();
                return text;
        }
    }

    private ReadOnlySpan<byte> AppendToRow(ReadOnlySpan<byte> text)
    {
        TerminalRow row = _row!;
        while (!text.IsEmpty)
        {
            byte next = text[0];
            switch (next)
            {
                case >= 0x20 and < 0x7F:
                    if (!row.Put(next, 1, _style))
                    {
                        WrapRow();
                        continue;
                    }

                    break;
                case (byte)'\n':
                    LeaveRow();
                    return text[1..];
                case (byte)'\r':
                    row.Return();
                    break;
                case (byte)'\b':
                    row.Back(1);
                    break;
                case (byte)'\t':
                    if (!row.Tab(_style))
                    {
                        WrapRow();
                        continue;
                    }

                    break;
                case EscapeSequence.Escape:
                    return TakeEscape(text);
                case 0x0B or 0x0C:
                    row.Attach(((char)next).ToString());
                    break;
                case >= 0x80:
                    _ = Rune.DecodeFromUtf8(text, out Rune rune, out int length);
                    if (!PutRune(row, rune))
                    {
                        WrapRow();
                        continue;
                    }

                    text = text[length..];
                    continue;
                default:
                    break; // The other controls (BEL, NUL, …) show nothing.
            }

            text = text[1..];
        }

        return text;
    }

    private bool PutRune(TerminalRow row, Rune rune)
    {
        if (rune.Value < 0xA0)
        {
            return true; // C1 controls show nothing.
        }

        int width = ColumnWidth.Of(rune);
        if (width == 0)
        {
            row.Attach(rune.ToString());
            return true;
        }

        return row.Put(rune.Value, width, _style);
    }

    private ReadOnlySpan<byte> TakeEscape(ReadOnlySpan<byte> text)
    {
        int length = EscapeSequence.Length(text, out bool isWhole);
        if (length == 0)
        {
            _unfinished = text.ToArray();
            return default;
        }

        Obey(text[..length], isWhole);
        return text[length..];
    }

    private ReadOnlySpan<byte> ContinueEscape(ReadOnlySpan<byte> text)
    {
        int taken = Math.Min(text.Length, EscapeSequence.LengthMax - _unfinished.Length);
        byte[] longer = [.. _unfinished, .. text[..taken]];
        int length = EscapeSequence.Length(longer, out bool isWhole);
        if (length == 0)
        {
            _unfinished = longer;
            return text[taken..];
        }

        // The old part alone had no end, so the sequence takes at least none of the new text and the rest of `longer` is text again.
        int rest = length - _unfinished.Length;
        _unfinished = [];
        Obey(longer.AsSpan(0, length), isWhole);
        if (rest >= 0)
        {
            return text[rest..];
        }

        // A control string that broke at an ESC which was the last byte before: that ESC begins a sequence of its own.
        _unfinished = longer[length..(length - rest)];
        return text;
    }

    private void Obey(ReadOnlySpan<byte> sequence, bool isWhole)
    {
        bool isControl = isWhole && sequence[1] == (byte)'[';
        ReadOnlySpan<byte> parameters = isControl ? sequence[2..^1] : default;
        bool isPlain = isControl && !parameters.ContainsAnyExceptInRange((byte)'0', (byte)';');
        switch (isPlain ? sequence[^1] : (byte)0)
        {
            case (byte)'m':
                _style = _style.Apply(parameters);
                if (!_isRow)
                {
                    Settle(sequence);
                }

                break;
            case (byte)'K':
                int mode = EscapeSequence.FirstParameter(parameters, 0);
                if (mode != 0 || _isRow)
                {
                    RowAtCursor().Erase(mode);
                }

                break;
            case (byte)'C':
                RowAtCursor().Forward(Math.Max(1, EscapeSequence.FirstParameter(parameters, 1)));
                break;
            case (byte)'D':
                RowAtCursor().Back(Math.Max(1, EscapeSequence.FirstParameter(parameters, 1)));
                break;
            case (byte)'G':
                RowAtCursor().GoTo(EscapeSequence.FirstParameter(parameters, 1) - 1);
                break;
            default:
                if (_isRow)
                {
                    _row!.Attach(Encoding.UTF8.GetString(sequence));
                }
                else
                {
                    Settle(sequence);
                }

                break;
        }
    }

    private TerminalRow RowAtCursor()
    {
        if (!_isRow)
        {
            EnterRow();
        }

        return _row!;
    }

    /// <summary>Text that is final, but for the last line, which may yet become a row.</summary>
    private void Settle(ReadOnlySpan<byte> text)
    {
        int line = text.LastIndexOf((byte)'\n');
        int moved = _settled.Append(text);
        if (line >= 0)
        {
            _lineStart = _settled.Count - (text.Length - line - 1);
            _lineStyle = _style;
        }
        else
        {
            _lineStart -= moved;
        }

        if (_settled.Omitted > 0)
        {
            _lineStart = Math.Max(_lineStart, _settled.HeadLength);
        }
    }

    /// <summary>
    /// Plays the last line, which holds no carriage return, backspace or line end, into the row; the cursor is at its end.
    /// </summary>
    private void EnterRow()
    {
        ReadOnlySpan<byte> line = _settled.Span[_lineStart..];
        byte[] copy = ArrayPool<byte>.Shared.Rent(line.Length);
        line.CopyTo(copy);
        int length = line.Length;
        _settled.Truncate(_lineStart);
        _row ??= new TerminalRow();
        _row.Reset();
        _isRow = true;
        _style = _lineStyle;
        Append(copy.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(copy);
        if (_unfinished.Length > 0)
        {
            // A sequence that the carriage return broke off: what follows is not its rest.
            _row.Attach(Encoding.UTF8.GetString(_unfinished));
            _unfinished = [];
        }
    }

    private void LeaveRow()
    {
        WrapRow();
        _isRow = false;
        Settle("\n"u8);
    }

    /// <summary>Settles the row as it is; what follows starts a new one.</summary>
    private void WrapRow()
    {
        Settle(RenderRow());
        _lineStart = _settled.Count;
        _lineStyle = _style;
        _row!.Reset();
    }

    private ReadOnlySpan<byte> RenderRow()
    {
        _rendered.ResetWrittenCount();
        _row!.Write(_lineStyle, _style, _rendered);
        return _rendered.WrittenSpan;
    }
}
