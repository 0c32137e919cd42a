using System.Buffers;
using System.Text.Json;
using Holdfast.Engine.Kernels.Clients;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// The few messages that we say ourselves, and never but in the kernel's name: their header carries the session under which it speaks,
/// since clients drop what they had queued when they hear another.
/// </summary>
internal sealed class ServerMessages(IFraming framing, TimeProvider time)
{
    private const string Username = "holdfast";

    /// <summary>A status with the state given; a kernel's death says its cause in fields of our own.</summary>
    public byte[] Status(string state, string session, ReadOnlyMemory<byte> parent = default, KernelDeath? death = null) =>
        Frame(KernelChannel.IoPub, JupyterEnvelope.Build(Header("status", session), StatusContent(state, death), parent: parent));

    /// <summary>What a kernel would have answered to kernel_info_request, with the statuses around it for which clients wait.</summary>
    public byte[][] KernelInfo(ReadOnlyMemory<byte> content, string session, ReadOnlyMemory<byte> request) =>
        [
            Status("busy", session, request),
            Frame(KernelChannel.Shell, JupyterEnvelope.Build(Header("kernel_info_reply", session), content, parent: request)),
            Status("idle", session, request),
        ];

    /// <summary>Any other message in answer to a request.</summary>
    public byte[] Reply(
        KernelChannel channel,
        string type,
        string session,
        ReadOnlyMemory<byte> request,
        ReadOnlyMemory<byte> content,
        params ReadOnlySpan<ReadOnlyMemory<byte>> buffers
    ) => Frame(channel, JupyterEnvelope.Build(Header(type, session), content, parent: request, buffers: buffers));

    /// <summary>A message as the journal has it, or as we build it, in a frame.</summary>
    public byte[] Frame(KernelChannel channel, ReadOnlyMemory<byte> multipart)
    {
        var shape = new MessageShape();
        if (!shape.TryRead(multipart.Span) && !shape.TryReadUnsigned(multipart.Span))
        {
            throw new ArgumentException("It is no Jupyter message.", nameof(multipart));
        }

        var plan = new FramePlan();
        framing.Plan(plan, channel, shape, shape.Header(multipart.Span));
        var frame = new ArrayBufferWriter<byte>((int)plan.FrameLength);
        frame.Advance(WebSocketFrame.WriteHead(frame.GetSpan(WebSocketFrame.HeadBytesMax), plan.Opcode, plan.PayloadLength));
        int at = shape.HeaderAt;
        for (int i = 0; i < Math.Max(FramePlan.Places, shape.Count); i++)
        {
            frame.Write(i < FramePlan.Places ? plan.Text(i).Span : default);
            int length = i < shape.Count ? (int)shape.Lengths[i] : 0;
            frame.Write(multipart.Span.Slice(at, length));
            at += length;
        }

        return frame.WrittenSpan.ToArray();
    }

    private JupyterHeader Header(string type, string session) =>
        JupyterHeader.Create(type, Guid.NewGuid().ToString("N"), session, Username, time.GetUtcNow());

    private static byte[] StatusContent(string state, KernelDeath? death)
    {
        var json = new ArrayBufferWriter<byte>(128);
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("execution_state"u8, state);
            death?.WriteFields(writer);

            writer.WriteEndObject();
        }

        return json.WrittenSpan.ToArray();
    }
}
