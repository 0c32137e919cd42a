using System.Text;

namespace Holdfast.Engine.Notebooks.Json;

/// <summary>How a file lays its JSON out: what new text must look like so that it cannot be told from the old.</summary>
internal sealed class JsonLayout
{
    /// <summary>One line, no white space.</summary>
    public static readonly JsonLayout Compact = new(null, string.Empty, ":", string.Empty);

    private readonly string _indent;
    private readonly string _newline;
    private readonly string _afterComma;
    private readonly List<byte[]> _breaks = [];

    /// <param name="indent">One level's indentation; null for a file on one line.</param>
    /// <param name="newline">Between lines.</param>
    /// <param name="colon">Between name and value, with the white space around it.</param>
    /// <param name="afterComma">What follows a comma in a file on one line.</param>
    private JsonLayout(string? indent, string newline, string colon, string afterComma)
    {
        IsIndented = indent is not null;
        _indent = indent ?? string.Empty;
        _newline = newline;
        Colon = Encoding.ASCII.GetBytes(colon);
        _afterComma = afterComma;
    }

    public bool IsIndented { get; }

    public byte[] Colon { get; }

    /// <summary>The white space before a part at this depth, or before the closing bracket of its parent (one less).</summary>
    public ReadOnlyMemory<byte> Break(int depth)
    {
        if (!IsIndented)
        {
            return default;
        }

        while (_breaks.Count <= depth)
        {
            StringBuilder text = new(_newline);
            for (int i = 0; i < _breaks.Count; i++)
            {
                _ = text.Append(_indent);
            }

            _breaks.Add(Encoding.ASCII.GetBytes(text.ToString()));
        }

        return _breaks[depth];
    }

    /// <summary>The white space before a part: as <see cref="Break"/>, or what follows a comma in a file on one line.</summary>
    public ReadOnlyMemory<byte> Lead(int depth, bool isFirst) =>
        IsIndented ? Break(depth)
        : isFirst ? default
        : Encoding.ASCII.GetBytes(_afterComma);

    /// <summary>Reads the layout off the root object's first members.</summary>
    public static JsonLayout Of(ReadOnlySpan<byte> root)
    {
        JsonParts parts = new(root);
        if (!parts.MoveNext())
        {
            return new JsonLayout(" ", "\n", ": ", string.Empty); // nbformat's own
        }

        string before = Encoding.ASCII.GetString(root[parts.WholeRange.Start.Value..parts.NameRange.Start.Value]);
        string colon = Encoding.ASCII.GetString(root[parts.NameRange.End.Value..parts.ValueRange.Start.Value]);
        if (before.LastIndexOf('\n') is var line and >= 0)
        {
            return new JsonLayout(
                before[(line + 1)..],
                before.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n",
                colon,
                string.Empty
            );
        }

        string afterComma = parts.MoveNext()
            ? Encoding.ASCII.GetString(root[parts.WholeRange.Start.Value..parts.NameRange.Start.Value])
            : " ";
        return new JsonLayout(null, string.Empty, colon, afterComma.Contains('\n', StringComparison.Ordinal) ? " " : afterComma);
    }
}
