using System.Buffers;
using System.Text.Json;
using Holdfast.Engine.Kernels.Comms;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// What a busy kernel would answer to a client that comes late and asks which comms are open, or for a widget's state: both are known from
/// its journal, and the kernel itself would say it only when its cell is over. Anything else about comms is the kernel's to hear.
/// </summary>
internal sealed class CommAnswers(KernelClientComms comms, ServerMessages messages)
{
    public static bool MayAnswer(ReadOnlySpan<byte> type) => type.SequenceEqual("comm_info_request"u8) || type.SequenceEqual("comm_msg"u8);

    /// <summary>The frames to say, statuses around them; null when the kernel has to be asked.</summary>
    public async ValueTask<byte[][]?> AnswerAsync(bool isList, ReadOnlyMemory<byte> request, ReadOnlyMemory<byte> content, string session)
    {
        if (!TryReadQuestion(isList, content, out string? wanted))
        {
            return null;
        }

        IReadOnlyList<OpenComm> open = await comms();
        byte[]? answer = isList
            ? messages.Reply(KernelChannel.Shell, "comm_info_reply", session, request, ListJson(open, wanted))
            : StateMessage(open, wanted!, session, request);
        return answer is null ? null : [messages.Status("busy", session, request), answer, messages.Status("idle", session, request)];
    }

    /// <param name="wanted">The target's name whose comms are wanted, null for all; or the id of the comm whose state is.</param>
    private static bool TryReadQuestion(bool isList, ReadOnlyMemory<byte> content, out string? wanted)
    {
        wanted = null;
        try
        {
            using JsonDocument json = JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = 1000 });
            JsonElement root = json.RootElement;
            wanted =
                root.ValueKind == JsonValueKind.Object
                && root.TryGetProperty(isList ? "target_name" : "comm_id", out JsonElement name)
                && name.ValueKind == JsonValueKind.String
                    ? name.GetString()
                    : null;
            return isList
                || (
                    wanted is not null
                    && root.TryGetProperty("data", out JsonElement data)
                    && data.ValueKind == JsonValueKind.Object
                    && data.TryGetProperty("method", out JsonElement method)
                    && method.ValueKind == JsonValueKind.String
                    && method.ValueEquals("request_state")
                );
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static byte[] ListJson(IReadOnlyList<OpenComm> open, string? target)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("status"u8, "ok"u8);
            writer.WriteStartObject("comms"u8);
            foreach (OpenComm comm in open.Where(c => target is null || c.TargetName == target))
            {
                writer.WriteStartObject(comm.Id);
                writer.WriteString("target_name"u8, comm.TargetName);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return json.WrittenSpan.ToArray();
    }

    private byte[]? StateMessage(IReadOnlyList<OpenComm> open, string id, string session, ReadOnlyMemory<byte> request)
    {
        if (open.FirstOrDefault(c => c.Id == id) is not { State: not null, IsTruncated: false } comm)
        {
            return null;
        }

        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("comm_id"u8, id);
            writer.WriteStartObject("data"u8);
            writer.WriteString("method"u8, "update"u8);
            writer.WriteStartObject("state"u8);
            foreach ((string name, ReadOnlyMemory<byte> value) in comm.State)
            {
                writer.WritePropertyName(name);
                writer.WriteRawValue(value.Span, skipInputValidation: true);
            }

            writer.WriteEndObject();
            writer.WriteStartArray("buffer_paths"u8);
            foreach (CommBuffer buffer in comm.Buffers)
            {
                writer.WriteRawValue(buffer.Path.Span, skipInputValidation: true);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return messages.Reply(
            KernelChannel.IoPub,
            "comm_msg",
            session,
            request,
            json.WrittenSpan.ToArray(),
            [.. comm.Buffers.Select(static b => b.Bytes)]
        );
    }
}

/// <summary>The comms that are open in a client's kernel.</summary>
internal delegate ValueTask<IReadOnlyList<OpenComm>> KernelClientComms();
