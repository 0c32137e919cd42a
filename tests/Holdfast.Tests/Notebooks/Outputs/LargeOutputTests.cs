using System.Text;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks.Outputs;
using Holdfast.Protocol.Journal;
using Holdfast.Tests.Fakes;
using Holdfast.Tests.Journal;

namespace Holdfast.Tests.Notebooks.Outputs;

/// <summary>
/// Goal: output that is never in memory whole is in the notebook as if it were. Method: the same messages through the journal, in pieces,
/// and straight into a fold.
/// </summary>
public sealed class LargeOutputTests : IDisposable
{
    private readonly TemporaryJournal _journal = new();

    public void Dispose() => _journal.Dispose();

    [Theory]
    [InlineData("x", "aé漢😀")] // Characters of one to four bytes, cut at every offset as the pieces fall.
    [InlineData("xy", "aé漢😀\\n")]
    [InlineData("", "\\ud83d\\ude00\\u00e9\\r")]
    public void A_stream_in_pieces_is_the_stream_as_it_was(string first, string repeated)
    {
        KernelMessage[] messages =
        [
            KernelMessages.Stream("cell", "before\\n", 0),
            KernelMessages.Stream("cell", first + string.Concat(Enumerable.Repeat(repeated, 150_000)), 0),
            KernelMessages.Stream("cell", "after", 0),
        ];
        var whole = new OutputFold(new DisplayRegistry());
        foreach (KernelMessage message in messages)
        {
            whole.ApplyIoPub(message.Message.MessageType, null, message.Message.Content.Span);
        }

        Assert.Equal(Encoding.UTF8.GetString(whole.ToJson()), Encoding.UTF8.GetString(Fold(messages).ToJson()));
    }

    [Fact]
    public void A_display_that_is_too_large_is_a_line_that_says_so()
    {
        string json = Encoding.UTF8.GetString(
            Fold(
                    KernelMessages.Of(
                        JournalChannel.IoPub,
                        "display_data",
                        "d",
                        "cell",
                        $$$"""{"data":{"text/html":"{{{new string('x', OutputFold.DisplayBytesMax)}}}"},"metadata":{},"transient":{}}""",
                        0
                    ),
                    KernelMessages.Stream("cell", "after", 0)
                )
                .ToJson()
        );

        Assert.Contains("[holdfast: a display of 33,554,", json, StringComparison.Ordinal);
        Assert.EndsWith("""{"name":"stdout","output_type":"stream","text":["after"]}]""", json, StringComparison.Ordinal);
        Assert.InRange(json.Length, 0, 400);
    }

    [Fact]
    public void A_display_within_the_limit_is_whole()
    {
        OutputFold fold = Fold(
            KernelMessages.Of(
                JournalChannel.IoPub,
                "display_data",
                "d",
                "cell",
                $$$"""{"data":{"text/plain":"{{{new string('x', 3_000_000)}}}"},"metadata":{},"transient":{}}""",
                0
            )
        );

        Assert.InRange(fold.ToJson().Length, 3_000_000, 3_000_200);
    }

    private OutputFold Fold(params KernelMessage[] messages)
    {
        using (JournalWriter writer = JournalWriter.Open(_journal.Path, new JournalOptions()))
        {
            foreach (KernelMessage message in messages)
            {
                writer.Append(message.Channel, message.Message.ToMultipart(), 1);
            }
        }

        var fold = new OutputFold(new DisplayRegistry());
        var joiner = new MessageJoiner(OutputFold.TakesWhole, fold.ApplyPiece);
        using JournalReader reader = JournalReader.Open(_journal.Path);
        while (reader.TryRead(out JournalRecord record))
        {
            if (!joiner.TryTake(record, out KernelMessage message))
            {
                continue;
            }

            if (message.IsPartial)
            {
                fold.EndPieces(message.Message.MessageType);
            }
            else
            {
                fold.ApplyIoPub(message.Message.MessageType, null, message.Message.Content.Span);
            }
        }

        return fold;
    }
}
