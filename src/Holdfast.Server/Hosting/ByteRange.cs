using System.Globalization;

namespace Holdfast.Server.Hosting;

/// <summary>
/// The one range of bytes that a request asks for (RFC 9110, 14). Several ranges at once are answered with the whole file, as the RFC
/// allows.
/// </summary>
internal readonly record struct ByteRange(long Start, long Length)
{
    /// <summary>Null for the whole file; a negative length when no byte of the file is asked for.</summary>
    public static ByteRange? Parse(string? header, long fileLength)
    {
        if (
            header is null
            || !header.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase)
            || header.Contains(',', StringComparison.Ordinal)
        )
        {
            return null;
        }

        string range = header[6..].Trim();
        int dash = range.IndexOf('-', StringComparison.Ordinal);
        if (
            dash < 0
            || !TryNumber(range[..dash], out long? first)
            || !TryNumber(range[(dash + 1)..], out long? last)
            || (first is null && last is null)
            || last < first
        )
        {
            return null;
        }

        if (first is null)
        {
            long length = Math.Min(last!.Value, fileLength);
            return length == 0 ? new ByteRange(0, -1) : new ByteRange(fileLength - length, length);
        }

        return first >= fileLength
            ? new ByteRange(0, -1)
            : new ByteRange(first.Value, Math.Min(last ?? long.MaxValue, fileLength - 1) - first.Value + 1);
    }

    private static bool TryNumber(string text, out long? number)
    {
        bool isNumber = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value);
        number = isNumber ? value : null;
        return isNumber || text.Length == 0;
    }
}
