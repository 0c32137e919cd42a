namespace Holdfast.Engine.Notebooks.Json;

/// <summary>An opened object. Members are found by name, the last of equal ones, as every JSON reader in the field does.</summary>
internal sealed class ObjectPiece : JsonPiece
{
    private static readonly ReadOnlyMemory<byte> Opening = "{"u8.ToArray();
    private static readonly ReadOnlyMemory<byte> Closing = "}"u8.ToArray();

    private readonly JsonLayout _layout;
    private readonly int _depth;
    private readonly List<Member> _members = [];
    private readonly ReadOnlyMemory<byte> _inside;

    /// <param name="depth">Of the object itself; the root is 0.</param>
    public ObjectPiece(ReadOnlyMemory<byte> text, JsonLayout layout, int depth)
    {
        _layout = layout;
        _depth = depth;
        _inside = EmptyInside(text);
        JsonParts parts = new(text.Span);
        while (parts.MoveNext())
        {
            _members.Add(
                new Member
                {
                    Before = text[parts.WholeRange.Start.Value..parts.NameRange.Start.Value],
                    Name = text[parts.NameRange],
                    Colon = text[parts.NameRange.End.Value..parts.ValueRange.Start.Value],
                    Value = new RawPiece(text[parts.ValueRange]),
                    After = text[parts.ValueRange.End.Value..parts.WholeRange.End.Value],
                }
            );
        }
    }

    public static ObjectPiece Empty(JsonLayout layout, int depth) => new("{}"u8.ToArray(), layout, depth);

    public bool IsEmpty => _members.Count == 0;

    public JsonPiece? Find(ReadOnlySpan<byte> name) => IndexOf(name) is >= 0 and var index ? _members[index].Value : null;

    /// <summary>The text of a member that has not been opened; empty if there is none.</summary>
    public ReadOnlyMemory<byte> Raw(ReadOnlySpan<byte> name) => Find(name) is RawPiece raw ? raw.Text : default;

    /// <summary>The member as an opened object; made if it is missing, null if it is something else than an object.</summary>
    public ObjectPiece? Open(ReadOnlySpan<byte> name, bool create)
    {
        switch (Find(name))
        {
            case ObjectPiece open:
                return open;
            case RawPiece raw when raw.Text.Span is [(byte)'{', ..]:
                ObjectPiece opened = new(raw.Text, _layout, _depth + 1);
                Set(name, opened);
                return opened;
            case null when create:
                ObjectPiece empty = Empty(_layout, _depth + 1);
                Set(name, empty);
                return empty;
            default:
                return null;
        }
    }

    /// <summary>
    /// Replaces the member where it stands; a new one goes where the names' order asks for it if they have one (nbformat sorts), else to
    /// the end.
    /// </summary>
    public void Set(ReadOnlySpan<byte> name, JsonPiece value)
    {
        int index = IndexOf(name);
        if (index >= 0)
        {
            _members[index].Value = value;
            return;
        }

        byte[] quoted = new byte[name.Length + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        name.CopyTo(quoted.AsSpan(1));
        index = InsertionIndex(quoted);
        bool isFirst = index == 0;
        bool isLast = index == _members.Count;
        Member added = new()
        {
            Before = _layout.Lead(_depth + 1, isFirst),
            Name = quoted,
            Colon = _layout.Colon,
            Value = value,
        };
        if (isLast)
        {
            added.After = isFirst ? _layout.Break(_depth) : _members[^1].After;
            if (!isFirst)
            {
                _members[^1].After = default;
            }
        }
        else if (isFirst)
        {
            added.Before = _members[0].Before;
            _members[0].Before = _layout.Lead(_depth + 1, isFirst: false);
        }

        _members.Insert(index, added);
    }

    public void Remove(ReadOnlySpan<byte> name)
    {
        int index = IndexOf(name);
        if (index < 0)
        {
            return;
        }

        Member removed = _members[index];
        _members.RemoveAt(index);
        if (_members.Count == 0)
        {
            return;
        }

        if (index == _members.Count)
        {
            _members[^1].After = removed.After;
        }
        else if (index == 0)
        {
            _members[0].Before = removed.Before;
        }
    }

    public override void Write(Action<ReadOnlyMemory<byte>> output)
    {
        output(Opening);
        if (IsEmpty)
        {
            output(_inside);
        }

        for (int i = 0; i < _members.Count; i++)
        {
            Member member = _members[i];
            if (i > 0)
            {
                output(Comma);
            }

            output(member.Before);
            output(member.Name);
            output(member.Colon);
            member.Value.Write(output);
            output(member.After);
        }

        output(Closing);
    }

    private int IndexOf(ReadOnlySpan<byte> name)
    {
        for (int i = _members.Count - 1; i >= 0; i--)
        {
            if (JsonStrings.Equals(_members[i].Name.Span, name))
            {
                return i;
            }
        }

        return -1;
    }

    private int InsertionIndex(ReadOnlySpan<byte> quoted)
    {
        for (int i = 1; i < _members.Count; i++)
        {
            if (_members[i - 1].Name.Span[1..^1].SequenceCompareTo(_members[i].Name.Span[1..^1]) > 0)
            {
                return _members.Count;
            }
        }

        int index = 0;
        while (index < _members.Count && _members[index].Name.Span[1..^1].SequenceCompareTo(quoted[1..^1]) < 0)
        {
            index++;
        }

        return index;
    }

    private sealed class Member
    {
        public ReadOnlyMemory<byte> Before { get; set; }

        public required ReadOnlyMemory<byte> Name { get; init; }

        public required ReadOnlyMemory<byte> Colon { get; init; }

        public required JsonPiece Value { get; set; }

        public ReadOnlyMemory<byte> After { get; set; }
    }
}
