using System.Text;
using Holdfast.Protocol.Journal;

namespace Holdfast.Tests.Journal;

/// <summary>
/// Files written by version 1 of the format, committed. What is read from them never changes; and as long as version 1 is what is
/// written, the same appends make the same bytes.
/// </summary>
public sealed class JournalGoldenTests : IDisposable
{
    private const long Time = 1_763_683_200_000_000_000; // 2025-11-21T00:00:00Z

    private static readonly string Golden = Path.Join(AppContext.BaseDirectory, "Golden", "journal", "v1");

    private readonly TemporaryJournal _journal = new();

    public void Dispose() => _journal.Dispose();

    [Fact]
    public void Version_1_files_are_read()
    {
        using JournalReader reader = JournalReader.Open(Golden);
        List<ReadRecord> records = TemporaryJournal.ReadRest(reader);
        Assert.Equal(JournalEnd.Clean, reader.End);
        Assert.Equal(
            [
                (32, JournalChannel.Event, JournalFlags.None, 0, 0, """{"event":"start","attempt":"a1","argv":["sh"]}"""),
                (106, JournalChannel.Stdout, JournalFlags.None, 1, 0, "hello\n"),
                (140, JournalChannel.Stderr, JournalFlags.None, 2, 0, "warning\n"),
                (176, JournalChannel.IoPub, JournalFlags.Continues, 3, 0, new string('m', 64)),
                (364, JournalChannel.IoPub, JournalFlags.Continued, 3, 64, new string('m', 36)),
                (428, JournalChannel.Stdout, JournalFlags.None, 4, 6, "\0\0\0\0"),
                (460, JournalChannel.Event, JournalFlags.None, 5, 46, """{"event":"exit","exitCode":0}"""),
            ],
            records.Select(r =>
                (
                    (int)r.Position,
                    r.Channel,
                    r.Flags,
                    (int)(r.UnixNanoseconds - Time),
                    (int)r.StreamOffset,
                    Encoding.UTF8.GetString(Convert.FromHexString(r.Payload))
                )
            )
        );
    }

    [Fact]
    public void Version_1_files_are_written_byte_for_byte()
    {
        Write(_journal.Path);
        string[] golden = [.. Directory.GetFiles(Golden).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(golden);
        Assert.Equal(golden.Select(Path.GetFileName), _journal.Segments().Select(Path.GetFileName));
        foreach (string file in golden)
        {
            Assert.Equal(
                Convert.ToHexString(File.ReadAllBytes(file)),
                Convert.ToHexString(File.ReadAllBytes(Path.Join(_journal.Path, Path.GetFileName(file))))
            );
        }
    }

    private static void Write(string directory)
    {
        using JournalWriter writer = JournalWriter.Open(directory, new JournalOptions { SegmentBytes = 300, PayloadBytes = 64 });
        writer.Append(JournalChannel.Event, """{"event":"start","attempt":"a1","argv":["sh"]}"""u8, Time);
        writer.Append(JournalChannel.Stdout, "hello\n"u8, Time + 1);
        writer.Append(JournalChannel.Stderr, "warning\n"u8, Time + 2);
        writer.Append(JournalChannel.IoPub, Encoding.UTF8.GetBytes(new string('m', 100)), Time + 3);
        writer.Append(JournalChannel.Stdout, new byte[4], Time + 4);
        writer.Append(JournalChannel.Event, """{"event":"exit","exitCode":0}"""u8, Time + 5);
    }
}
