using System.Buffers;
using System.Text;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>
/// One row of a terminal while the program goes back over it: a cursor, and in each column a character and its style.
/// Its work for a character is constant and its size is bounded by the width.
/// </summary>
internal sealed class TerminalRow
{
    /// <summary>
    /// The width of the terminal that this stands for. Wide enough that no real progress bar wraps; finite so that a row, like a real
    /// terminal's, cannot take memory without end: past it the cursor goes to a new row, and the old one is settled.
    /// </summary>
    public const int Columns = 65_536;

    /// <summary>
    /// Marks and foreign sequences on one character, beyond which more are not shown: a stack of accents would otherwise grow for ever.
    /// </summary>
    private const int AttachedMax = 256;

    /// <summary>The right half of a wide character, or a column under a tab.</summary>
    private const int Continuation = -1;

    private Slot[] _slots = new Slot[128];
    private string _lead = string.Empty;
    private int _length;

    public int Cursor { get; private set; }

    public void Reset()
    {
        Cursor = 0;
        _length = 0;
        _lead = string.Empty;
    }

    public void Return() => Cursor = 0;

    public void Back(int columns) => Cursor = Math.Max(0, Cursor - columns);

    public void Forward(int columns) => Cursor = (int)Math.Min(Columns - 1L, (long)Cursor + columns);

    public void GoTo(int column) => Cursor = Math.Clamp(column, 0, Columns - 1);

    /// <summary>Puts a character of width 1 or 2 at the cursor; false if the row has no room for it and a new row must begin.</summary>
    public bool Put(int rune, int width, SgrStyle style)
    {
        if (Cursor + width > Columns)
        {
            return false;
        }

        MakeRoom(Cursor + width);
        if (_length > Cursor)
        {
            BreakAt(Cursor);
            BreakAt(Cursor + width);
        }

        for (int i = 0; i < width; i++)
        {
            _slots[Cursor + i] = new Slot(i == 0 ? rune : Continuation, style, null);
        }

        Cursor += width;
        _length = Math.Max(_length, Cursor);
        return true;
    }

    /// <summary>To the next tab stop. What is already there stays, as on a terminal; past the end a tab is kept as a tab.</summary>
    public bool Tab(SgrStyle style)
    {
        int stop = (Cursor + 8) & ~7;
        if (stop > Columns)
        {
            return false;
        }

        if (Cursor >= _length)
        {
            return Put('\t', stop - Cursor, style);
        }

        Cursor = stop;
        return true;
    }

    /// <summary>Keeps what takes no column (a combining mark, a hyperlink's start) with the character before the cursor.</summary>
    public void Attach(string text)
    {
        int at = Math.Min(Cursor, _length) - 1;
        while (at >= 0 && _slots[at].Rune == Continuation)
        {
            at--;
        }

        if (at < 0)
        {
            _lead = _lead.Length + text.Length <= AttachedMax ? _lead + text : _lead;
            return;
        }

        string attached = _slots[at].Attached + text;
        if (attached.Length <= AttachedMax)
        {
            _slots[at] = _slots[at] with { Attached = attached };
        }
    }

    /// <summary>Erase in line (ECMA-48 EL): 0 from the cursor on, 1 up to the cursor, 2 all.</summary>
    public void Erase(int mode)
    {
        if (mode == 2)
        {
            _length = 0;
        }
        else if (mode == 0 && Cursor < _length)
        {
            BreakAt(Cursor);
            _length = Cursor;
        }
        else if (mode == 1)
        {
            int end = Math.Min(Cursor + 1, _length);
            if (end < _length)
            {
                BreakAt(end);
            }

            Array.Fill(_slots, new Slot(' ', default, null), 0, end);
            if (end == _length)
            {
                _length = 0;
            }
        }
    }

    /// <summary>
    /// Appends the row as text that makes a terminal, now in style <paramref name="before"/>, show it and end in style
    /// <paramref name="after"/>.
    /// </summary>
    public void Write(SgrStyle before, SgrStyle after, ArrayBufferWriter<byte> output)
    {
        Write(_lead, output);
        SgrStyle style = before;
        for (int i = 0; i < _length; i++)
        {
            ref readonly Slot slot = ref _slots[i];
            if (slot.Rune == Continuation)
            {
                continue;
            }

            if (slot.Style != style)
            {
                slot.Style.WriteChange(style, output);
                style = slot.Style;
            }

            int length = new Rune(slot.Rune).EncodeToUtf8(output.GetSpan(4));
            output.Advance(length);
            if (slot.Attached is not null)
            {
                Write(slot.Attached, output);
            }
        }

        after.WriteChange(style, output);
    }

    private static void Write(string text, ArrayBufferWriter<byte> output) =>
        output.Advance(Encoding.UTF8.GetBytes(text, output.GetSpan(text.Length * 3)));

    /// <summary>Where a column is the inside of a wide character that is about to lose one half, the halves become spaces.</summary>
    private void BreakAt(int column)
    {
        if (column >= _length || _slots[column].Rune != Continuation)
        {
            return;
        }

        int start = column;
        while (start > 0 && _slots[start].Rune == Continuation)
        {
            start--;
        }

        int end = column;
        while (end < _length && _slots[end].Rune == Continuation)
        {
            end++;
        }

        for (int i = start; i < end; i++)
        {
            _slots[i] = new Slot(' ', _slots[i].Style, null);
        }
    }

    private void MakeRoom(int columns)
    {
        if (columns > _slots.Length)
        {
            Array.Resize(ref _slots, Math.Min(Columns, Math.Max(columns, _slots.Length * 2)));
        }

        // A cursor moved past the end leaves blank columns behind it.
        for (; _length < Cursor; _length++)
        {
            _slots[_length] = new Slot(' ', default, null);
        }
    }

    private readonly record struct Slot(int Rune, SgrStyle Style, string? Attached);
}
