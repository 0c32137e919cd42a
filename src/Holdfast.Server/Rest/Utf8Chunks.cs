using System.Buffers;
using System.Text;

namespace Holdfast.Server.Rest;

/// <summary>
/// Turns a stream of bytes into pieces of text, cut between characters: the start of one waits for its end. What is no UTF-8 becomes
/// U+FFFD.
/// </summary>
internal sealed class Utf8Chunks
{
    private byte[] _held = [];

    /// <summary>How many bytes at the end wait for the rest of their character: three at most.</summary>
    public int HeldBytes => _held.Length;

    public string Take(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> all = _held.Length == 0 ? bytes : [.. _held, .. bytes];
        int whole = WholeLength(all);
        string text = Encoding.UTF8.GetString(all[..whole]);
        _held = all[whole..].ToArray();
        return text;
    }

    /// <summary>
    /// The stream has ended: the start of a character that waits will have no end. It is said as U+FFFD rather than left out.
    /// </summary>
    public string End()
    {
        string text = Encoding.UTF8.GetString(_held);
        _held = [];
        return text;
    }

    private static int WholeLength(ReadOnlySpan<byte> bytes)
    {
        for (int start = bytes.Length - 1; start >= 0 && start >= bytes.Length - 3; start--)
        {
            if ((bytes[start] & 0xC0) != 0x80)
            {
                return Rune.DecodeFromUtf8(bytes[start..], out _, out _) == OperationStatus.NeedMoreData ? start : bytes.Length;
            }
        }

        return bytes.Length;
    }
}
