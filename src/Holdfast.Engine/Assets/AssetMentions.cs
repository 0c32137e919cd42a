using System.Text;

namespace Holdfast.Engine.Assets;

/// <summary>
/// Finds the assets that a notebook's text refers to: a member named <c>sha256</c> whose value is a hash. Pure, and never too few: text
/// that only looks so counts as well.
/// </summary>
internal static class AssetMentions
{
    private static ReadOnlySpan<byte> Name => "\"sha256\""u8;

    public static HashSet<string> Find(ReadOnlySpan<byte> json)
    {
        var found = new HashSet<string>();
        while (json.IndexOf(Name) is >= 0 and var at)
        {
            json = json[(at + Name.Length)..];
            if (HashAfter(json) is { } hash)
            {
                found.Add(hash);
            }
        }

        return found;
    }

    private static string? HashAfter(ReadOnlySpan<byte> json)
    {
        json = json.TrimStart(" \t\r\n"u8);
        if (json is not [(byte)':', ..])
        {
            return null;
        }

        json = json[1..].TrimStart(" \t\r\n"u8);
        if (json.Length < AssetHash.Length + 2 || json[0] != (byte)'"' || json[AssetHash.Length + 1] != (byte)'"')
        {
            return null;
        }

        string hash = Encoding.ASCII.GetString(json.Slice(1, AssetHash.Length));
        return AssetHash.IsWellFormed(hash) ? hash : null;
    }
}
