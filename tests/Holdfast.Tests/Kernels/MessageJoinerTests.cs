using System.Text;
using Holdfast.Engine.Kernels;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Tests.Fakes;
using Holdfast.Tests.Journal;

namespace Holdfast.Tests.Kernels;

public sealed class MessageJoinerTests : IDisposable
{
    private const int Length = 3_000_000;
    private readonly TemporaryJournal _journal = new();

    public void Dispose() => _journal.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Large_output_is_put_together_only_for_who_wants_it_and_counted_all_the_same(bool isWanted)
    {
        List<KernelMessage> read = Read(
            isWanted,
            KernelMessages.Stream("cell", string.Concat(Enumerable.Repeat("é\\n", Length / 3)), 0),
            KernelMessages.Status("cell", "idle", 0)
        );
        Assert.Equal(["stream", "status"], read.Select(static m => m.Message.MessageType));
        Assert.Equal((!isWanted, "cell"), (read[0].IsPartial, read[0].Message.ParentMessageId));
        Assert.Equal(Length, isWanted ? CellOutputText.CountBytes(read[0].Message) : read[0].SaidBytes);
        Assert.Equal(!isWanted, read[0].Message.Content.IsEmpty);
        Assert.Equal((32L, read[1].Position), (read[0].Position, read[0].NextPosition)); // After the segment's header.
        Assert.Equal("idle", read[1].Message.ExecutionState);
    }

    [Fact]
    public void A_large_result_counts_with_its_line_feed_and_large_messages_of_other_kinds_count_nothing()
    {
        string text = new('x', Length);
        List<KernelMessage> read = Read(
            false,
            KernelMessages.Of(
                JournalChannel.IoPub,
                "display_data",
                "d",
                "cell",
                $$$"""{"metadata":{},"data":{"image/png":"{{{text}}}","text/plain":"abc"}}""",
                0
            ),
            KernelMessages.Of(JournalChannel.IoPub, "comm_msg", "c", "cell", $$"""{"data":"{{text}}"}""", 0),
            KernelMessages.Reply("cell", 0, $$"""{"status":"ok","x":"{{text}}"}""")
        );
        Assert.Equal([4L, 0L, 0L], read.Select(static m => m.SaidBytes));
        Assert.Equal([true, true, false], read.Select(static m => m.IsPartial));
        Assert.Equal("ok", read[2].Message.ReplyStatus);
    }

    private List<KernelMessage> Read(bool isWanted, params KernelMessage[] messages)
    {
        using (JournalWriter writer = JournalWriter.Open(_journal.Path, new JournalOptions()))
        {
            foreach (KernelMessage message in messages)
            {
                writer.Append(message.Channel, message.Message.ToMultipart(), 1);
            }
        }

        var joiner = new MessageJoiner(large => isWanted && large.Head.ParentMessageId == "cell");
        var read = new List<KernelMessage>();
        using JournalReader reader = JournalReader.Open(_journal.Path);
        while (reader.TryRead(out JournalRecord record))
        {
            if (joiner.TryTake(record, out KernelMessage message))
            {
                Assert.Equal(long.MaxValue, joiner.OldestPosition);
                read.Add(
                    message with
                    {
                        Message = message.IsPartial ? message.Message : JupyterMessage.TryParse(message.Message.ToMultipart())!,
                    }
                );
            }
        }

        return read;
    }
}
