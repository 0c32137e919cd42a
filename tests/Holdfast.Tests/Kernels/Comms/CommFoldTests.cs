using System.Text;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Comms;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Tests.Fakes;
using Holdfast.Tests.Journal;

namespace Holdfast.Tests.Kernels.Comms;

public sealed class CommFoldTests : IDisposable
{
    private readonly CommFold _fold = new();
    private readonly TemporaryJournal _journal = new();
    private long _at;

    public void Dispose() => _journal.Dispose();

    [Fact]
    public void A_widget_s_state_is_that_of_every_update_from_either_side()
    {
        Open("w", """{"state":{"value":1,"max":10,"layout":"IPY_MODEL_l"},"buffer_paths":[]}""");
        Say(JournalChannel.IoPub, "w", """{"method":"update","state":{"value":2},"buffer_paths":[]}""");
        Say(JournalChannel.ShellRequest, "w", """{"method":"update","state":{"max":20}}""");
        Say(JournalChannel.IoPub, "w", """{"method":"echo_update","state":{"max":21}}""");
        Say(JournalChannel.IoPub, "w", """{"method":"custom","content":{"value":99},"state":{"value":98}}""");
        OpenComm comm = Assert.Single(_fold.Open);
        Assert.Equal(
            ("w", "jupyter.widget", "cell", 1L, 5L, 4L),
            (comm.Id, comm.TargetName, comm.MessageId, comm.OpenedAt, comm.ChangedAt, comm.Messages)
        );
        Assert.Equal("""layout="IPY_MODEL_l" max=21 value=2""", State(comm));
    }

    [Fact]
    public void Buffers_go_with_the_value_that_they_are_of()
    {
        Open(
            "w",
            """{"state":{"image":{"format":"png"},"other":{}},"buffer_paths":[["image","bytes"],["other","x",0],["bare"]]}""",
            [1],
            [2],
            [3]
        );
        Say(JournalChannel.IoPub, "w", """{"method":"update","state":{"image":{}},"buffer_paths":[["image","bytes"]]}""", [4]);
        Say(JournalChannel.IoPub, "w", """{"method":"update","state":{},"buffer_paths":[["bare"]]}""", [5]);
        Assert.Equal(
            ["[\"other\",\"x\",0]=2", "[\"image\",\"bytes\"]=4", "[\"bare\"]=5"],
            Assert.Single(_fold.Open).Buffers.Select(static b => $"{Encoding.UTF8.GetString(b.Path.Span)}={b.Bytes.Span[0]}")
        );
    }

    [Fact]
    public void Either_side_closes_and_others_than_widgets_keep_what_they_were_opened_with()
    {
        Open("a", "{}");
        Take(JournalChannel.ShellRequest, "comm_open", """{"comm_id":"b","target_name":"mine","data":{"x":[1]}}""");
        Open("c", "{}");
        Take(JournalChannel.ShellRequest, "comm_close", """{"comm_id":"a","data":{}}""");
        Take(JournalChannel.IoPub, "comm_close", """{"comm_id":"c"}""");
        Take(JournalChannel.IoPub, "comm_msg", """{"comm_id":"nobody","data":{}}""");
        Take(JournalChannel.IoPub, "comm_open", "[]");
        Take(JournalChannel.IoPub, "comm_open", "{");
        Take(JournalChannel.IoPub, "stream", """{"comm_id":"b"}""");
        OpenComm comm = Assert.Single(_fold.Open);
        Assert.Equal(("b", "mine", """{"x":[1]}"""), (comm.Id, comm.TargetName, Encoding.UTF8.GetString(comm.OpeningJson.Span)));
        Assert.Null(comm.State);
    }

    [Fact]
    public void State_past_the_limit_is_not_kept_and_said_to_be_missing()
    {
        string half = new('x', (int)(CommFold.StateBytesMax / 2));
        Open("a", $$$"""{"state":{"v":"{{{half}}}"}}""");
        Open("b", $$$"""{"state":{"v":"{{{half}}}"}}""");
        Say(JournalChannel.IoPub, "b", """{"method":"update","state":{"w":1}}""");
        Open("c", """{"state":{"v":1}}""");
        Assert.Equal(
            [("a", false, 1), ("b", true, 0), ("c", false, 1)],
            _fold.Open.Select(static c => (c.Id, c.IsTruncated, c.State!.Count))
        );
        Take(JournalChannel.IoPub, "comm_close", """{"comm_id":"a"}""");
        Open("d", $$$"""{"state":{"v":"{{{half}}}"}}""");
        Assert.False(_fold.Open[^1].IsTruncated);
    }

    [Fact]
    public void The_reader_goes_on_where_it_left_off_also_within_a_message()
    {
        string image = new('x', 2_000_000);
        var reader = new CommReader(_journal.Path);
        Assert.Empty(reader.Read());
        using JournalWriter writer = JournalWriter.Open(_journal.Path, new JournalOptions());
        Append(writer, "comm_open", """{"comm_id":"w","target_name":"jupyter.widget","data":{"state":{"v":1}}}""");
        Append(writer, "stream", $$"""{"name":"stdout","text":"{{image}}"}""");
        Assert.Equal("v=1", State(Assert.Single(reader.Read())));
        Append(writer, "comm_msg", $$$$"""{"comm_id":"w","data":{"method":"update","state":{"v":2,"image":"{{{{image}}}}"}}}""");
        Append(writer, "comm_msg", """{"comm_id":"w","data":{"method":"update","state":{"image":0}}}""");
        Assert.Equal("image=0 v=2", State(Assert.Single(reader.Read())));
        Assert.Equal("image=0 v=2", State(Assert.Single(new CommReader(_journal.Path).Read())));
    }

    private static void Append(JournalWriter writer, string type, string content) =>
        writer.Append(
            JournalChannel.IoPub,
            KernelMessages.Of(JournalChannel.IoPub, type, "m", "cell", content, 0).Message.ToMultipart(),
            1
        );

    private static string State(OpenComm comm) =>
        string.Join(' ', comm.State!.Select(static s => $"{s.Key}={Encoding.UTF8.GetString(s.Value.Span)}"));

    private void Open(string id, string data, params byte[][] buffers) =>
        Take(JournalChannel.IoPub, "comm_open", $$"""{"comm_id":"{{id}}","target_name":"jupyter.widget","data":{{data}}}""", buffers);

    private void Say(JournalChannel channel, string id, string data, params byte[][] buffers) =>
        Take(channel, "comm_msg", $$"""{"comm_id":"{{id}}","data":{{data}}}""", buffers);

    private void Take(JournalChannel channel, string type, string content, params byte[][] buffers)
    {
        KernelMessage plain = KernelMessages.Of(channel, type, "m", "cell", content, ++_at);
        JupyterMessage m = plain.Message;
        byte[] multipart = Multipart.Encode([
            .. (ReadOnlyMemory<byte>[])
                [
                    "identity"u8.ToArray(),
                    JupyterMessage.Delimiter.ToArray(),
                    m.Signature,
                    m.HeaderJson,
                    m.ParentJson,
                    m.MetadataJson,
                    m.Content,
                ],
            .. buffers.Select(static b => (ReadOnlyMemory<byte>)b),
        ]);
        _fold.Take(plain with { Message = JupyterMessage.TryParse(multipart)! });
    }
}
