using System.Text;

namespace Holdfast.Server.Cli.Screen;

/// <summary>Rows with aligned columns, plain enough for awk. The last column is cut at the terminal's edge, and only there.</summary>
public sealed class TextTable(params string[] headings)
{
    private readonly List<string[]> _rows = [headings];

    public void Add(params string?[] cells) => _rows.Add([.. cells.Select(c => string.IsNullOrEmpty(c) ? "-" : TerminalText.Printable(c))]);

    /// <summary>The table as text; a width of null cuts nothing.</summary>
    public string Format(int? width)
    {
        int[] widths = [.. headings.Select((_, column) => _rows.Max(row => row[column].Length))];
        var text = new StringBuilder();
        foreach (string[] row in _rows)
        {
            int lineStart = text.Length;
            for (int column = 0; column < row.Length; column++)
            {
                bool isLast = column == row.Length - 1;
                _ = text.Append(isLast ? row[column] : row[column].PadRight(widths[column] + 2));
            }

            if (width is { } edge && text.Length - lineStart > edge)
            {
                text.Length = lineStart + edge;
            }

            _ = text.Append('\n');
        }

        return text.ToString();
    }
}
