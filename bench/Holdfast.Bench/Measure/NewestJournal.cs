using System.Globalization;
using Holdfast.Protocol.Journal;

namespace Holdfast.Bench.Measure;

/// <summary>What the journal of the attempt that was begun last says of itself.</summary>
internal static class NewestJournal
{
    /// <summary>When its last output was taken from the child; it is in the journal some microseconds later.</summary>
    public static DateTimeOffset LastOutput(string dataFolder)
    {
        // Attempts are named by identifiers that rise with time, segments by positions of fixed width.
        string attempt = Directory.GetDirectories(Path.Combine(dataFolder, "attempts")).Max(StringComparer.Ordinal)!;
        string journal = Path.Combine(attempt, "journal");
        string segment = Directory.GetFiles(journal, "*.hfj").Max(StringComparer.Ordinal)!;
        using JournalReader reader = JournalReader.Open(
            journal,
            long.Parse(Path.GetFileNameWithoutExtension(segment), CultureInfo.InvariantCulture)
        );
        long last = 0;
        while (reader.TryRead(out JournalRecord record))
        {
            last = record.Channel is JournalChannel.Stdout or JournalChannel.Stderr ? record.UnixNanoseconds : last;
        }

        const int nanosecondsPerTick = 100;
        return last > 0 ? DateTimeOffset.UnixEpoch.AddTicks(last / nanosecondsPerTick) : throw new IOException($"{segment} has no output.");
    }
}
