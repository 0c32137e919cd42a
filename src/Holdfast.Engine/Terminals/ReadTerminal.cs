using Holdfast.Engine.Executions;
using Holdfast.Protocol.Journal;

namespace Holdfast.Engine.Terminals;

/// <summary>
/// Opens a terminal's output where somebody who comes to it begins: a screenful and some history before its end, which is all a terminal
/// shows and as much as it costs whoever returns often. Earlier output stays readable by its offset. Errors: execution-not-found.
/// </summary>
public sealed class ReadTerminal(ReadOutput output)
{
    /// <summary>About a thousand lines, what Jupyter's own server keeps for the same purpose.</summary>
    public const int ReplayBytesMax = 128 * 1024;

    /// <summary>A reading from the replay's first byte; whether bytes before it were left out.</summary>
    public (OutputReading Reading, bool IsCut) Open(ExecutionId id)
    {
        OutputReading all = output.Open(id, OutputStream.Stdout, 0);
        long start = all.Length - ReplayBytesMax;
        if (start <= 0)
        {
            return (all, false);
        }

        all.Dispose();
        return (output.Open(id, OutputStream.Stdout, start), true);
    }

    /// <summary>Goes on where an earlier reading stopped, in what may be another attempt by now.</summary>
    public OutputReading Resume(ExecutionId id, long offset) => output.Open(id, OutputStream.Stdout, offset);

    /// <summary>
    /// How many bytes to leave out at the start of a replay that was cut: up to the next line, since half an escape sequence or half a
    /// character would be shown as rubbish.
    /// </summary>
    public static int Ragged(ReadOnlySpan<byte> first)
    {
        int line = first.IndexOf((byte)'\n');
        if (line >= 0)
        {
            return line + 1;
        }

        int character = 0;
        while (character < first.Length && (first[character] & 0xC0) == 0x80)
        {
            character++;
        }

        return character;
    }
}
