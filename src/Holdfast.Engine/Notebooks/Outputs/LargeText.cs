using System.Globalization;
using System.Text;
using Holdfast.Engine.Assets;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>The words that stand in a notebook where a value is too large for it.</summary>
internal static class LargeText
{
    /// <summary>Of each end of a long text, what is shown: about a thousand lines.</summary>
    private const int EndBytes = 64 * 1024;

    /// <summary>Head and tail, cut where lines end, and between them where the whole is.</summary>
    public static byte[] Shorten(TerminalText text, string name, AssetMark? kept)
    {
        ReadOnlySpan<byte> last = text.Tail();
        ReadOnlySpan<byte> first = text.Head.IsEmpty ? last : text.Head;
        long all = kept?.Size ?? (text.Head.Length + last.Length + (text.SettledLength - text.HeldLength));
        int headEnd = Math.Min(EndBytes, first.Length / 4);
        int head = first[..headEnd].LastIndexOf((byte)'\n') + 1 is > 0 and var line ? line : CharacterStart(first, headEnd);
        int tailEnd = Math.Min(EndBytes, last.Length / 4);
        int tail =
            last[^tailEnd..].IndexOf((byte)'\n') is >= 0 and var next && next < tailEnd - 1
                ? last.Length - tailEnd + next + 1
                : CharacterStart(last, last.Length - tailEnd);
        byte[] notice = Encoding.UTF8.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $"\n[holdfast: {all - head - (last.Length - tail):N0} of the {all:N0} bytes of {name} are left out here. {Where(kept)}]\n"
            )
        );
        return [.. first[..head], .. notice, .. last[tail..]];
    }

    public static string Notice(string type, long bytes, AssetMark? kept) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"[holdfast: {type} of {kept?.Size ?? bytes:N0} bytes is too large for this notebook. {Where(kept)}]"
        );

    private static string Where(AssetMark? kept) =>
        kept is null
            ? "It is not kept as an asset yet; the journal has all of it: holdfast logs, with the executionId of this cell's metadata."
            : $"All of it: holdfast assets get {kept.Hash} or GET /v1/assets/{kept.Hash}";

    private static int CharacterStart(ReadOnlySpan<byte> text, int position)
    {
        while (position > 0 && position < text.Length && (text[position] & 0xC0) == 0x80)
        {
            position--;
        }

        return position;
    }
}
