using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using Holdfast.Engine.Kernels.Clients;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// The framing without a subprotocol: a message is one JSON text, and with buffers a binary frame <c>u32 count | u32 offset[count] | JSON |
/// buffers...</c>, big-endian. The parts' JSON is passed on as it was written, both ways; what clients leave out is filled in: a missing
/// channel means shell, msg_id and msg_type may stand beside the header.
/// </summary>
internal sealed class LegacyFraming : IFraming
{
    private const int WordBytes = 4;
    private static readonly byte[] EmptyObject = "{}"u8.ToArray();
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 1000 };

    public ClientRequest Read(Opcode kind, ReadOnlyMemory<byte> message)
    {
        if (kind == Opcode.Text)
        {
            return Read(message, []);
        }

        ReadOnlySpan<byte> bytes = message.Span;
        uint count = bytes.Length >= WordBytes ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;
        if (count == 0 || count > (uint)(bytes.Length - WordBytes) / WordBytes)
        {
            throw new CloseException(CloseCode.InvalidPayload, "The offsets of the frame do not lie within it, in order.");
        }

        var parts = new ReadOnlyMemory<byte>[count];
        uint at = WordBytes * (count + 1);
        for (int i = 0; i < parts.Length; i++)
        {
            uint start = BinaryPrimitives.ReadUInt32BigEndian(bytes[(WordBytes * (i + 1))..]);
            uint end = i + 1 < parts.Length ? BinaryPrimitives.ReadUInt32BigEndian(bytes[(WordBytes * (i + 2))..]) : (uint)bytes.Length;
            if (start < at || end < start || end > (uint)bytes.Length)
            {
                throw new CloseException(CloseCode.InvalidPayload, "The offsets of the frame do not lie within it, in order.");
            }

            parts[i] = message[(int)start..(int)end];
            at = end;
        }

        return Read(parts[0], parts.AsSpan(1));
    }

    public void Plan(FramePlan plan, KernelChannel channel, MessageShape shape, ReadOnlySpan<byte> header)
    {
        bool hasBuffers = shape.Count > MessageShape.JsonFrames;
        plan.Begin();
        int offsets = hasBuffers ? WordBytes * (shape.Count - MessageShape.JsonFrames + 2) : 0;
        _ = plan.Room(offsets);
        plan.Add("{\"channel\":\""u8).Add(channel.Name()).Add("\",\"header\":"u8);
        Place(plan, shape, 0);
        AddCopy(plan, header, "msg_id"u8);
        AddCopy(plan, header, "msg_type"u8);
        plan.Add(",\"parent_header\":"u8);
        Place(plan, shape, 1);
        plan.Add(",\"metadata\":"u8);
        Place(plan, shape, 2);
        plan.Add(",\"content\":"u8);
        Place(plan, shape, 3);
        plan.Add(hasBuffers ? "}"u8 : ",\"buffers\":[]}"u8);
        plan.End(hasBuffers ? Opcode.Binary : Opcode.Text, shape);
        if (hasBuffers)
        {
            WriteOffsets(plan, shape, offsets);
        }
    }

    /// <summary>The frame comes here; one that is empty is no JSON, and an object is put in its place.</summary>
    private static void Place(FramePlan plan, MessageShape shape, int frame)
    {
        if (shape.Lengths[frame] == 0)
        {
            plan.Add(EmptyObject);
        }

        plan.Next();
    }

    private static void AddCopy(FramePlan plan, ReadOnlySpan<byte> header, ReadOnlySpan<byte> name)
    {
        if (JupyterJson.TryGetRaw(header, name, out ReadOnlySpan<byte> value))
        {
            plan.Add(",\""u8).Add(name).Add("\":\""u8).Add(value).Add("\""u8);
        }
    }

    private static void WriteOffsets(FramePlan plan, MessageShape shape, int offsets)
    {
        Span<byte> table = plan.Start(offsets);
        int count = shape.Count - MessageShape.JsonFrames + 1;
        long buffers = 0;
        for (int i = MessageShape.JsonFrames; i < shape.Count; i++)
        {
            buffers += shape.Lengths[i];
        }

        long at = plan.PayloadLength - buffers;
        BinaryPrimitives.WriteUInt32BigEndian(table, (uint)count);
        BinaryPrimitives.WriteUInt32BigEndian(table[WordBytes..], (uint)offsets);
        for (int i = 1; i < count; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(table[(WordBytes * (i + 1))..], (uint)at);
            at += shape.Lengths[MessageShape.JsonFrames + i - 1];
        }
    }

    private static ClientRequest Read(ReadOnlyMemory<byte> json, ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        var frames = new ReadOnlyMemory<byte>[MessageShape.JsonFrames + buffers.Length];
        frames.AsSpan(1, 3).Fill(EmptyObject);
        buffers.CopyTo(frames.AsSpan(MessageShape.JsonFrames));
        ReadOnlyMemory<byte> id = default,
            type = default;
        KernelChannel? channel = KernelChannel.Shell;
        try
        {
            var reader = new Utf8JsonReader(json.Span, Options);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                throw new CloseException(CloseCode.InvalidPayload, "The message is no JSON object.");
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                int frame = FrameOf(ref reader);
                bool isChannel = reader.ValueTextEquals("channel"u8),
                    isId = reader.ValueTextEquals("msg_id"u8),
                    isType = reader.ValueTextEquals("msg_type"u8);
                reader.Read();
                int start = (int)reader.TokenStartIndex;
                bool isText = reader.TokenType == JsonTokenType.String;
                if (isChannel && isText)
                {
                    channel = ChannelNames.Parse(reader.ValueSpan);
                }

                bool isObject = reader.TokenType == JsonTokenType.StartObject;
                reader.Skip();
                ReadOnlyMemory<byte> value = json[start..(int)reader.BytesConsumed];
                id = isId && isText ? value : id;
                type = isType && isText ? value : type;
                if (frame >= 0 && isObject)
                {
                    frames[frame] = value;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CloseException(CloseCode.InvalidPayload, "The message is no JSON object.");
        }

        frames[0] = Completed(frames[0], id, type);
        return new ClientRequest(channel, Multipart.Encode(frames));
    }

    private static int FrameOf(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("header"u8) ? 0
        : reader.ValueTextEquals("parent_header"u8) ? 1
        : reader.ValueTextEquals("metadata"u8) ? 2
        : reader.ValueTextEquals("content"u8) ? 3
        : -1;

    /// <summary>The header with what stood only beside it; untouched when it has both.</summary>
    private static ReadOnlyMemory<byte> Completed(ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> id, ReadOnlyMemory<byte> type)
    {
        bool wantsId = !id.IsEmpty && !JupyterJson.TryGetRaw(header.Span, "msg_id"u8, out _);
        bool wantsType = !type.IsEmpty && !JupyterJson.TryGetRaw(header.Span, "msg_type"u8, out _);
        if (header.IsEmpty || (!wantsId && !wantsType))
        {
            return header;
        }

        var completed = new ArrayBufferWriter<byte>(header.Length + id.Length + type.Length + 32);
        using (var writer = new Utf8JsonWriter(completed))
        {
            writer.WriteStartObject();
            if (wantsId)
            {
                writer.WritePropertyName("msg_id"u8);
                writer.WriteRawValue(id.Span);
            }

            if (wantsType)
            {
                writer.WritePropertyName("msg_type"u8);
                writer.WriteRawValue(type.Span);
            }

            using var rest = JsonDocument.Parse(header, new JsonDocumentOptions { MaxDepth = Options.MaxDepth });
            foreach (JsonProperty property in rest.RootElement.EnumerateObject())
            {
                property.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return completed.WrittenMemory;
    }
}
