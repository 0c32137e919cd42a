using System.Text;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Protocol.Journal;
using Holdfast.Tests.Fakes;
using Holdfast.Tests.Journal;

namespace Holdfast.Tests.Kernels;

/// <summary>
/// Goal: a cell's output is the same bytes at the same offsets, whether a message came in one record or in hundreds. Method: a journal with
/// both, read from many offsets.
/// </summary>
public sealed class CellOutputTests : IDisposable
{
    private const int Repeats = 700_000;
    private static readonly string Long = string.Concat(Enumerable.Repeat("aé\n", Repeats));
    private static readonly Execution Cell = new()
    {
        Sequence = 1,
        Id = new ExecutionId("cell"),
        Kind = ExecutionKind.Cell,
        State = ExecutionState.Succeeded,
        CreatedAt = 0,
        Queue = "default",
    };

    private readonly TemporaryJournal _journal = new();

    public CellOutputTests()
    {
        string json = Long.Replace("\n", "\\n", StringComparison.Ordinal);
        using JournalWriter writer = JournalWriter.Open(_journal.Path, new JournalOptions());
        foreach (
            KernelMessage message in (KernelMessage[])
                [
                    KernelMessages.Stream("other", json, 0),
                    KernelMessages.Stream("cell", "before\\n", 0),
                    KernelMessages.Stream("cell", json, 0),
                    KernelMessages.Of(JournalChannel.IoPub, "stream", "e", "cell", $$"""{"text":"{{json}}","name":"stderr"}""", 0), // The name last: not known at first.
                    KernelMessages.Of(
                        JournalChannel.IoPub,
                        "execute_result",
                        "r",
                        "cell",
                        $$$"""{"data":{"text/plain":"{{{json}}}"}}""",
                        0
                    ),
                    KernelMessages.Of(JournalChannel.IoPub, "comm_msg", "c", "cell", $$"""{"data":"{{json}}"}""", 0),
                    KernelMessages.Stream("cell", "after\\n", 0),
                    KernelMessages.Reply("cell", 0, """{"status":"ok"}"""),
                    KernelMessages.Status("cell", "idle", 0),
                ]
        )
        {
            writer.Append(message.Channel, message.Message.ToMultipart(), 1);
        }
    }

    public void Dispose() => _journal.Dispose();

    [Theory]
    [InlineData(OutputStream.All, true, true)]
    [InlineData(OutputStream.Stdout, true, false)]
    [InlineData(OutputStream.Stderr, false, true)]
    public void Every_byte_stands_at_its_offset(OutputStream stream, bool hasOut, bool hasError)
    {
        string expected = (hasOut ? "before\n" + Long : "") + (hasError ? Long : "") + (hasOut ? Long + "\nafter\n" : "");
        byte[] bytes = Encoding.UTF8.GetBytes(expected);
        foreach (int offset in (int[])[0, 3, 100_000, bytes.Length - 8, bytes.Length])
        {
            using CellOutput output = Open(stream, offset);
            Assert.Equal(bytes.Length, output.Length);
            Assert.True(bytes.AsSpan(offset).SequenceEqual(ReadAll(output)), $"from {offset}");
            Assert.Equal(bytes.Length, output.Offset);
        }
    }

    [Fact]
    public void Large_text_comes_in_pieces()
    {
        using CellOutput output = Open(OutputStream.Stdout, 0);
        while (output.TryRead(out ReadOnlyMemory<byte> bytes))
        {
            Assert.InRange(bytes.Length, 1, JournalFormat.PayloadBytesMax);
        }
    }

    private CellOutput Open(OutputStream stream, long offset) => new(null, _journal.Path, Cell, stream, offset);

    private static byte[] ReadAll(CellOutput output)
    {
        var all = new MemoryStream();
        while (output.TryRead(out ReadOnlyMemory<byte> bytes))
        {
            all.Write(bytes.Span);
        }

        return all.ToArray();
    }
}
