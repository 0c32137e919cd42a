using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine.Kernels.Clients;
using Holdfast.Protocol.Jupyter;
using Holdfast.Server.Jupyter.Channels;

namespace Holdfast.Tests.Jupyter.Door.Channels;

/// <summary>Both framings, against frames written out here from their pages.</summary>
public class FramingTests
{
    private static readonly byte[] Header = """{"msg_id":"m","msg_type":"stream","session":"s"}"""u8.ToArray();

    [Fact]
    public void A_v1_frame_is_pinned()
    {
        byte[] frame = Encode(
            new V1Framing(),
            KernelChannel.IoPub,
            [Header, "{}"u8.ToArray(), "{}"u8.ToArray(), "{\"a\":1}"u8.ToArray(), "xy"u8.ToArray()],
            out Opcode opcode
        );

        string expected =
            string.Concat(((long[])[7, 64, 69, 117, 119, 121, 128, 130]).Select(Word))
            + Convert.ToHexString("iopub{\"msg_id\":\"m\",\"msg_type\":\"stream\",\"session\":\"s\"}{}{}{\"a\":1}xy"u8);
        Assert.Equal((Opcode.Binary, expected), (opcode, Convert.ToHexString(frame)));
    }

    [Fact]
    public void A_legacy_text_is_pinned()
    {
        byte[] frame = Encode(
            new LegacyFraming(),
            KernelChannel.IoPub,
            [Header, "{}"u8.ToArray(), [], "{\"a\":NaN}"u8.ToArray()],
            out Opcode opcode
        );

        Assert.Equal(
            (
                Opcode.Text,
                """{"channel":"iopub","header":{"msg_id":"m","msg_type":"stream","session":"s"},"msg_id":"m","msg_type":"stream","parent_header":{},"metadata":{},"content":{"a":NaN},"buffers":[]}"""
            ),
            (opcode, Encoding.UTF8.GetString(frame))
        );
    }

    [Fact]
    public void A_legacy_frame_with_buffers_has_big_endian_offsets()
    {
        byte[] frame = Encode(
            new LegacyFraming(),
            KernelChannel.IoPub,
            [Header, "{}"u8.ToArray(), "{}"u8.ToArray(), "{}"u8.ToArray(), "xy"u8.ToArray(), "z"u8.ToArray()],
            out Opcode opcode
        );

        Assert.Equal(Opcode.Binary, opcode);
        int[] offsets = Enumerable.Range(0, 4).Select(i => (int)BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4 * i))).ToArray();
        Assert.Equal([3, 16, frame.Length - 3, frame.Length - 1], offsets);
        using var json = JsonDocument.Parse(frame.AsMemory(16, frame.Length - 19));
        Assert.False(json.RootElement.TryGetProperty("buffers", out _));
        Assert.Equal("xyz", Encoding.UTF8.GetString(frame.AsSpan(frame.Length - 3)));
    }

    [Theory]
    [InlineData(
        """{"header":{"msg_id":"1","msg_type":"t","date":1732000000.5},"content":{"b": 2}}""",
        """{"msg_id":"1","msg_type":"t","date":1732000000.5}"""
    )]
    [InlineData(
        """{"msg_id":"1","msg_type":"t","header":{"session":"x"},"channel":null,"extra":[{}]}""",
        """{"msg_id":"1","msg_type":"t","session":"x"}"""
    )]
    public void What_legacy_clients_leave_out_is_filled_in(string text, string header)
    {
        ClientRequest request = new LegacyFraming().Read(Opcode.Text, Encoding.UTF8.GetBytes(text));

        JupyterMessage message = JupyterMessage.TryParseUnsigned(request.Multipart)!;
        Assert.Equal(
            (KernelChannel.Shell, header, "{}"),
            (request.Channel, Encoding.UTF8.GetString(message.HeaderJson.Span), Encoding.UTF8.GetString(message.ParentJson.Span))
        );
    }

    [Fact]
    public void What_a_framing_writes_it_reads_again_byte_for_byte()
    {
        Prop.ForAll<byte[][], bool>(
                (buffers, isV1) =>
                {
                    IFraming framing = isV1 ? new V1Framing() : new LegacyFraming();
                    byte[][] frames =
                    [
                        Header,
                        "{}"u8.ToArray(),
                        """{"m":"é"}"""u8.ToArray(),
                        """{ "c" : [1, 2.50] }"""u8.ToArray(),
                        .. buffers.Select(static b => b ?? []),
                    ];
                    byte[] payload = Encode(framing, KernelChannel.Control, frames, out Opcode opcode);
                    ClientRequest request = framing.Read(opcode, payload);
                    return request.Channel == KernelChannel.Control
                        && request
                            .Multipart.AsSpan()
                            .SequenceEqual(Multipart.Encode(Array.ConvertAll(frames, static f => new ReadOnlyMemory<byte>(f))));
                }
            )
            .QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Anything_at_all_is_read_or_refused_with_a_close_code()
    {
        byte[] good = Encode(new V1Framing(), KernelChannel.Shell, [Header, "{}"u8.ToArray(), "{}"u8.ToArray(), "{}"u8.ToArray()], out _);
        Prop.ForAll<byte[], int, bool>(
                (noise, at, isV1) =>
                {
                    byte[] frame = [.. good];
                    foreach (byte b in noise)
                    {
                        at = ((at * 31) + b) & 0x7FFFFFFF;
                        frame[at % frame.Length] = b;
                    }

                    return IsReadOrRefused(isV1 ? new V1Framing() : new LegacyFraming(), frame)
                        && IsReadOrRefused(isV1 ? new V1Framing() : new LegacyFraming(), noise);
                }
            )
            .QuickCheckThrowOnFailure();
    }

    private static bool IsReadOrRefused(IFraming framing, byte[] frame)
    {
        foreach (Opcode kind in (ReadOnlySpan<Opcode>)[Opcode.Binary, Opcode.Text])
        {
            try
            {
                _ = framing.Read(kind, frame);
            }
            catch (CloseException) { }
        }

        return true;
    }

    private static string Word(long value)
    {
        byte[] word = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(word, value);
        return Convert.ToHexString(word);
    }

    private static byte[] Encode(IFraming framing, KernelChannel channel, byte[][] frames, out Opcode opcode)
    {
        byte[] multipart = Multipart.Encode(Array.ConvertAll(frames, static f => new ReadOnlyMemory<byte>(f)));
        var shape = new MessageShape();
        Assert.True(shape.TryReadUnsigned(multipart));
        var plan = new FramePlan();
        framing.Plan(plan, channel, shape, shape.Header(multipart));
        opcode = plan.Opcode;
        byte[] frame = new ServerMessages(framing, TimeProvider.System).Frame(channel, multipart);
        return frame[WebSocketFrame.HeadLength(plan.PayloadLength)..];
    }
}
