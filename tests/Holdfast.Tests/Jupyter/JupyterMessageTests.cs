using System.Text;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Tests.Jupyter;

public class JupyterMessageTests
{
    [Fact]
    public void A_received_message_is_taken_apart()
    {
        JupyterMessage message = JupyterMessage.TryParse(
            Encode(
                "topic",
                "more",
                "<IDS|MSG>",
                "sig",
                """{"msg_id":"a","msg_type":"status"}""",
                """{"msg_id":"b"}""",
                "{}",
                """{"execution_state":"idle"}""",
                "buffer"
            )
        )!;

        Assert.Equal(2, message.Identities.Length);
        Assert.Equal("sig", Encoding.UTF8.GetString(message.Signature.Span));
        Assert.Equal("status", message.MessageType);
        Assert.Equal("a", message.MessageId);
        Assert.Equal("b", message.ParentMessageId);
        Assert.Equal("idle", message.ExecutionState);
        Assert.Null(message.ReplyStatus);
        Assert.Equal(1, message.Buffers.Length);
    }

    [Fact]
    public void What_has_no_delimiter_or_too_few_frames_is_no_message()
    {
        Assert.Null(JupyterMessage.TryParse(Encode("a", "b", "c", "d", "e", "f")));
        Assert.Null(JupyterMessage.TryParse(Encode("<IDS|MSG>", "sig", "{}", "{}", "{}")));
        Assert.Null(JupyterMessage.TryParse(new byte[] { 1, 0, 0, 0 }));
    }

    [Fact]
    public void A_broken_header_leaves_empty_fields_rather_than_an_exception()
    {
        JupyterMessage message = JupyterMessage.TryParse(Encode("<IDS|MSG>", "", """{"msg_id":"a",""", "[]", "{}", "nonsense"))!;

        Assert.Equal("a", message.MessageId);
        Assert.Equal("", message.MessageType);
        Assert.Equal("", message.ParentMessageId);
        Assert.Null(message.ReplyStatus);
    }

    [Fact]
    public void The_first_part_of_a_large_message_says_whose_it_is()
    {
        byte[] whole = Encode(
            "stream",
            "<IDS|MSG>",
            "sig",
            """{"msg_id":"a","msg_type":"stream"}""",
            """{"msg_id":"b"}""",
            "{}",
            new string('x', 10_000)
        );

        JupyterMessage message = JupyterMessage.TryParsePrefix(whole.AsMemory(0, 200))!;

        Assert.Equal("stream", message.MessageType);
        Assert.Equal("b", message.ParentMessageId);
        Assert.True(message.Content.IsEmpty);
        Assert.Equal(0, message.Buffers.Length);
    }

    [Theory]
    [InlineData("""{"a":{"status":"no"},"status":"ok"}""", "ok")]
    [InlineData("""{"status":"aborted","more":NaN}""", "aborted")]
    [InlineData("""{"status":1}""", null)]
    [InlineData("", null)]
    public void A_field_is_found_only_at_the_outermost_level_and_before_any_damage(string json, string? expected) =>
        Assert.Equal(expected, JupyterJson.GetText(Encoding.UTF8.GetBytes(json), "status"u8));

    private static byte[] Encode(params string[] frames) =>
        Multipart.Encode(Array.ConvertAll(frames, static f => new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(f))));
}
