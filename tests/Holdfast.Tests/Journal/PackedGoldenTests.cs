using System.Globalization;
using System.Text;
using Holdfast.Protocol.Journal;

namespace Holdfast.Tests.Journal;

/// <summary>
/// Packed segments, committed: what is read from them never changes. The bytes that zlib makes are its own business, so none are compared.
/// </summary>
public sealed class PackedGoldenTests
{
    private static readonly string Golden = Path.Join(AppContext.BaseDirectory, "Golden", "journal");

    [Fact]
    public void What_another_program_packed_by_the_specification_reads_as_the_plain_files_do()
    {
        List<ReadRecord> plain = Read(Path.Join(Golden, "v1"));
        Assert.Equal(7, plain.Count);
        Assert.Equal(plain, Read(Path.Join(Golden, "v2", "outside")));
    }

    [Fact]
    public void What_version_2_packed_is_read()
    {
        List<ReadRecord> records = Read(Path.Join(Golden, "v2", "own"));
        Assert.Equal(
            Enumerable
                .Range(0, 1000)
                .Select(static n =>
                    (Channel: JournalChannel.Stdout, Time: (long)n, Text: string.Create(CultureInfo.InvariantCulture, $"step {n}\n"))
                ),
            records.Select(static r => (r.Channel, r.UnixNanoseconds, Encoding.ASCII.GetString(Convert.FromHexString(r.Payload))))
        );
    }

    private static List<ReadRecord> Read(string directory)
    {
        using JournalReader reader = JournalReader.Open(directory);
        List<ReadRecord> records = TemporaryJournal.ReadRest(reader);
        Assert.Equal(JournalEnd.Clean, reader.End);
        return records;
    }
}
