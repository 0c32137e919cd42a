using Holdfast.Protocol.Journal;

namespace Holdfast.Tests.Journal;

/// <summary>A journal's folder that goes away with the test, and the few lines that every test would repeat.</summary>
internal sealed class TemporaryJournal : IDisposable
{
    private static int _roots;

    private readonly DirectoryInfo _root = NewRoot();

    public string Path => System.IO.Path.Join(_root.FullName, "journal");

    public JournalWriter OpenWriter(long segmentBytes = 64 * 1024 * 1024, int payloadBytes = JournalFormat.PayloadBytesMax) =>
        JournalWriter.Open(Path, new JournalOptions { SegmentBytes = segmentBytes, PayloadBytes = payloadBytes });

    public JournalReader OpenReader(long position = 0) => JournalReader.Open(Path, position);

    /// <summary>The segment files, in order.</summary>
    public string[] Segments() => [.. Directory.GetFiles(Path, "*.hfj").Order(StringComparer.Ordinal)];

    public string Segment(long basePosition) => JournalFormat.SegmentPath(Path, basePosition);

    public List<ReadRecord> ReadAll(long position = 0)
    {
        using JournalReader reader = OpenReader(position);
        return ReadRest(reader);
    }

    public static List<ReadRecord> ReadRest(JournalReader reader)
    {
        var records = new List<ReadRecord>();
        while (reader.TryRead(out JournalRecord record))
        {
            records.Add(ReadRecord.Of(record));
        }

        return records;
    }

    /// <summary>In memory where the system offers it: these tests create thousands of segments, and each one is synced.</summary>
    private static DirectoryInfo NewRoot() =>
        Directory.Exists("/dev/shm")
            ? Directory.CreateDirectory($"/dev/shm/holdfast-journal-{Environment.ProcessId}-{Interlocked.Increment(ref _roots)}")
            : Directory.CreateTempSubdirectory("holdfast-journal-");

    public void Dispose() => _root.Delete(recursive: true);
}
