using System.Text;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Tests.Jupyter;

public class JupyterEnvelopeTests
{
    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.FromHours(2));

    [Fact]
    public void A_request_is_pinned()
    {
        byte[] request = JupyterEnvelope.Build(
            JupyterHeader.Create("execute_request", "m1", "s1", "ann", At),
            JupyterEnvelope.ExecuteContent("print(1)"),
            buffers: "raw"u8.ToArray()
        );

        Assert.True(Multipart.TryDecode(request, out ReadOnlyMemory<byte>[] frames));
        Assert.Equal(
            [
                """{"msg_id":"m1","session":"s1","username":"ann","date":"2026-01-02T01:04:05.678000Z","msg_type":"execute_request","version":"5.3"}""",
                "{}",
                "{}",
                """{"code":"print(1)","silent":false,"store_history":true,"user_expressions":{},"allow_stdin":false,"stop_on_error":true}""",
                "raw",
            ],
            frames.Select(static f => Encoding.UTF8.GetString(f.Span))
        );
    }

    [Fact]
    public void An_unsigned_message_is_read_back()
    {
        JupyterMessage message = JupyterMessage.TryParseUnsigned(
            JupyterEnvelope.Build(JupyterHeader.Create("input_reply", "m2", "s1", "ann", At), JupyterEnvelope.InputContent("x"))
        )!;

        Assert.Equal("input_reply", message.MessageType);
        Assert.Equal("m2", message.MessageId);
        Assert.Equal("2026-01-02T01:04:05.678000Z", message.Header.Date);
        Assert.Equal("", message.ParentMessageId);
        Assert.Equal("""{"value":"x"}""", Encoding.UTF8.GetString(message.Content.Span));
        Assert.Equal(0, message.Buffers.Length);
    }
}
