using System.Globalization;

namespace Holdfast.Protocol.Journal;

/// <summary>The fixed numbers and names of the format; docs/spec/journal-format.md is its account.</summary>
public static class JournalFormat
{
    public const int Version = 1;

    /// <summary>
    /// The most that one record may carry. It is what a supervisor reads from a pipe at once, it bounds every reader's buffer,
    /// and it shows a broken length at once instead of after a read of gigabytes.
    /// </summary>
    public const int PayloadBytesMax = 256 * 1024;

    internal const int RecordBytesMax = RecordHead.Bytes + PayloadBytesMax;
    internal const string SegmentSuffix = ".hfj";
    internal const string IndexSuffix = ".hfx";
    internal const string CutSuffix = ".cut";
    internal const int ChannelCount = 256;

    private const int PositionDigits = 20;

    public static string SegmentPath(string directory, long basePosition) => PathOf(directory, basePosition, SegmentSuffix);

    internal static string IndexPath(string directory, long basePosition) => PathOf(directory, basePosition, IndexSuffix);

    internal static string CutPath(string directory, long position) => PathOf(directory, position, CutSuffix);

    /// <summary>The base positions of the segments there, ascending. Empty when the directory is missing.</summary>
    public static long[] ListSegments(string directory)
    {
        string[] files;
        try
        {
            files = Directory.GetFiles(directory, "*" + SegmentSuffix);
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }

        if (files.Length == 0)
        {
            return [];
        }

        long[] bases = new long[files.Length];
        int count = 0;
        foreach (string file in files)
        {
            ReadOnlySpan<char> name = Path.GetFileNameWithoutExtension(file.AsSpan());
            if (
                name.Length == PositionDigits
                && long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out long basePosition)
            )
            {
                bases[count++] = basePosition;
            }
        }

        Array.Resize(ref bases, count);
        Array.Sort(bases);
        return bases;
    }

    /// <summary>Where the journal ends by now, by the sizes of its segments; a torn tail counts. 0 when there is none.</summary>
    public static long EndOf(string directory) =>
        ListSegments(directory) is [.., long last] ? last + SegmentFile.LengthOf(directory, last) : 0;

    private static string PathOf(string directory, long position, string suffix) =>
        Path.Join(directory, position.ToString("D20", CultureInfo.InvariantCulture) + suffix);
}
