using System.Text;

namespace Holdfast.Server.Cli.Screen;

/// <summary>Standard input, output and error. Nothing is buffered: what was written has been written when the call returns.</summary>
public interface ITerminal
{
    bool IsInputTerminal { get; }

    bool IsOutputTerminal { get; }

    /// <summary>Columns of the terminal; a usual number when there is none.</summary>
    int Width { get; }

    /// <summary>Rows and columns; null when standard output is no terminal, or one that does not know its size.</summary>
    (int Rows, int Columns)? Size { get; }

    /// <summary>Throws <see cref="OutputClosedException"/> when nobody reads any more.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>For messages. Never throws: there is nowhere left to say so.</summary>
    void WriteError(ReadOnlySpan<byte> bytes);

    /// <summary>Reads some of standard input; 0 at its end.</summary>
    ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Until it is disposed every key is input, Ctrl-C too, and nothing is shown but what is written.</summary>
    IDisposable BeRaw();

    /// <summary>Until it is disposed, calls after every change of size.</summary>
    IDisposable OnResize(Action changed);
}

/// <summary>The reader of our output has gone, as in <c>holdfast logs ID | head -1</c>: end quietly.</summary>
public sealed class OutputClosedException() : Exception("The reader of standard output has gone.");

/// <summary>Text for people.</summary>
public static class TerminalText
{
    public static void WriteLine(this ITerminal terminal, string line) => terminal.Write(Encoding.UTF8.GetBytes(line + "\n"));

    public static void WriteErrorLine(this ITerminal terminal, string line) => terminal.WriteError(Encoding.UTF8.GetBytes(line + "\n"));

    /// <summary>
    /// Without escape sequences and control characters: a name or a message written by someone else must not steer the terminal it is shown
    /// on.
    /// </summary>
    public static string Printable(string text) => Clean(text, keepsLines: false);

    /// <summary>The same for text of several lines.</summary>
    public static string PrintableLines(string text) => Clean(text, keepsLines: true);

    private static string Clean(string text, bool keepsLines)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '\e' && i + 1 < text.Length && text[i + 1] == '[')
            {
                // A control sequence (ECMA-48, section 5.4) ends with the first character from @ to ~.
                for (i += 2; i < text.Length && text[i] is < '@' or > '~'; i++) { }

                continue;
            }

            _ = clean.Append(char.IsControl(c) && !(keepsLines && c is '\n' or '\t') ? ' ' : c);
        }

        return clean.ToString();
    }
}
