using System.Globalization;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Server.Cli.Screen;

namespace Holdfast.Server.Cli.Doctor;

/// <summary>
/// Whether the journals' segments, plain and packed, begin as they should. Their records are not gone through, which would read all that
/// was ever said.
/// </summary>
internal static class JournalChecks
{
    /// <summary>Of the newest attempts: enough to see what is wrong with a disk, in less than a second.</summary>
    private const int AttemptsMax = 2000;

    private const int NamedMax = 3;

    /// <summary>Null where there is no journal.</summary>
    public static Finding? Check(DataDirectoryPaths paths)
    {
        int segments = 0;
        int packed = 0;
        var wrong = new List<string>();
        foreach (string journal in Newest(paths.Attempts).Select(static folder => new AttemptFiles(folder).Journal))
        {
            long[] bases = JournalFormat.ListSegments(journal);
            for (int i = 0; i < bases.Length; i++)
            {
                segments++;
                (bool isPacked, string? problem) = Examine(journal, bases[i], isLast: i == bases.Length - 1);
                packed += isPacked ? 1 : 0;
                if (problem is not null)
                {
                    wrong.Add($"{JournalFormat.SegmentPath(journal, bases[i])} {problem}");
                }
            }
        }

        return segments == 0 ? null
            : wrong.Count == 0
                ? Finding.Ok(
                    "journals",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{Sentences.Count(segments, "segment", "segments")}, {packed} of them packed; all begin as they should"
                    )
                )
            : Finding.Problem(
                "journals",
                string.Join("; ", wrong.Take(NamedMax))
                    + (wrong.Count > NamedMax ? string.Create(CultureInfo.InvariantCulture, $"; and {wrong.Count - NamedMax} more") : ""),
                "put the file back from a copy; what lies before it can be read with `holdfast logs`. Look at the disk's health"
            );
    }

    private static IEnumerable<string> Newest(string attempts) =>
        Directory.Exists(attempts)
            ? Directory.EnumerateDirectories(attempts).OrderByDescending(static d => d, StringComparer.Ordinal).Take(AttemptsMax)
            : [];

    private static (bool IsPacked, string? Problem) Examine(string journal, long basePosition, bool isLast)
    {
        try
        {
            using SegmentFile segment = SegmentFile.Open(journal, basePosition);
            bool isWhole = segment.HasHead(basePosition) && !segment.IsDamaged;
            // A kill at the moment of its creation; the next writer begins it anew.
            bool isTorn = isLast && !segment.IsPacked && segment.Length < SegmentFile.HeadBytesMin;
            return (
                segment.IsPacked,
                isWhole || isTorn ? null
                : segment.IsPacked ? "is packed and damaged"
                : "has no head of a journal's segment"
            );
        }
        catch (FileNotFoundException)
        {
            return (false, null); // Deleted or replaced meanwhile.
        }
        catch (JournalVersionException)
        {
            return (false, "was written by a later version of Holdfast");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (false, $"cannot be read: {e.Message}");
        }
    }
}
