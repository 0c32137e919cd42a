using System.Collections.Immutable;
using System.Text.Json;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels.Comms;

/// <summary>
/// Folds the comm messages of one kernel incarnation, of the kernel and of its clients, into the comms that are open:
/// 1. comm_open begins one, also in the place of one with the same id; 2. comm_close ends it, from either side; 3. of a widget (target
/// jupyter.widget) the state that it was opened with is kept, and updates and their echoes replace what they name, with the buffers below
/// it; 4. everything else is counted. What is no proper message changes nothing.
/// </summary>
internal sealed class CommFold
{
    public const string WidgetTarget = "jupyter.widget";

    /// <summary>For all of a kernel's comms together; a widget past it is known, and its state is not.</summary>
    public const long StateBytesMax = 64L << 20;

    private static readonly ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> Nothing = ImmutableSortedDictionary.Create<
        string,
        ReadOnlyMemory<byte>
    >(StringComparer.Ordinal);

    private readonly Dictionary<string, OpenComm> _open = [];
    private readonly List<string> _order = [];
    private long _bytes;

    /// <summary>In the order in which they were opened.</summary>
    public IReadOnlyList<OpenComm> Open => [.. _order.Select(id => _open[id])];

    public void Take(in KernelMessage message)
    {
        if (
            message.Channel is not (JournalChannel.IoPub or JournalChannel.ShellRequest)
            || message.IsPartial
            || !IsComm(message.Message.MessageType)
        )
        {
            return;
        }

        try
        {
            using JsonDocument content = JsonDocument.Parse(message.Message.Content, new JsonDocumentOptions { MaxDepth = 1000 });
            if (content.RootElement is { ValueKind: JsonValueKind.Object } root && Text(root, "comm_id") is { Length: > 0 } id)
            {
                Take(message, id, root);
            }
        }
        catch (JsonException)
        {
            // A client's or a kernel's own fault; the comm is as it was.
        }
    }

    /// <summary>Whether messages of this type are for comms: such a one has to be read whole.</summary>
    public static bool IsComm(string messageType) => messageType is "comm_open" or "comm_msg" or "comm_close";

    private void Take(in KernelMessage message, string id, JsonElement content)
    {
        long at = UnixTime.FromNanoseconds(message.UnixNanoseconds);
        switch (message.Message.MessageType)
        {
            case "comm_open":
                Close(id);
                _order.Add(id);
                Put(Opened(message.Message, id, content, at));
                break;
            case "comm_close":
                Close(id);
                break;
            default:
                if (_open.TryGetValue(id, out OpenComm? comm))
                {
                    Put(Updated(comm with { ChangedAt = at, Messages = comm.Messages + 1 }, message.Message, content));
                }

                break;
        }
    }

    private static OpenComm Opened(JupyterMessage message, string id, JsonElement content, long at)
    {
        var comm = new OpenComm(id, Text(content, "target_name") ?? "", Text(content, "target_module"), at, message.ParentMessageId);
        bool hasData = content.TryGetProperty("data", out JsonElement data);
        if (comm.TargetName != WidgetTarget || !hasData || data.ValueKind != JsonValueKind.Object)
        {
            return comm with { OpeningJson = hasData ? Raw(data) : default };
        }

        return Applied(comm with { State = Nothing }, data, message.Buffers);
    }

    private static OpenComm Updated(OpenComm comm, JupyterMessage message, JsonElement content) =>
        comm.State is not null
        && content.TryGetProperty("data", out JsonElement data)
        && data.ValueKind == JsonValueKind.Object
        && Text(data, "method") is "update" or "echo_update"
            ? Applied(comm, content.GetProperty("data"), message.Buffers)
            : comm;

    /// <summary>Puts a message's state over the one before, name by name; the buffers of a name go with its value.</summary>
    private static OpenComm Applied(OpenComm comm, JsonElement data, ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        if (!data.TryGetProperty("state", out JsonElement state) || state.ValueKind != JsonValueKind.Object)
        {
            return comm;
        }

        var names = new HashSet<string>();
        ImmutableSortedDictionary<string, ReadOnlyMemory<byte>>.Builder values = comm.State!.ToBuilder();
        foreach (JsonProperty property in state.EnumerateObject())
        {
            names.Add(property.Name);
            values[property.Name] = Raw(property.Value);
        }

        var told = new List<CommBuffer>();
        if (data.TryGetProperty("buffer_paths", out JsonElement paths) && paths.ValueKind == JsonValueKind.Array)
        {
            int next = 0;
            foreach (JsonElement path in paths.EnumerateArray())
            {
                if (
                    next < buffers.Length
                    && path.ValueKind == JsonValueKind.Array
                    && path.GetArrayLength() > 0
                    && path[0].ValueKind == JsonValueKind.String
                )
                {
                    // A value that is all binary is left out of the state; it is replaced all the same.
                    string key = path[0].GetString()!;
                    names.Add(key);
                    told.Add(new CommBuffer(key, Raw(path), buffers[next].ToArray()));
                }

                next++;
            }
        }

        return comm with
        {
            State = values.ToImmutable(),
            Buffers = comm.Buffers.RemoveAll(b => names.Contains(b.Key)).AddRange(told),
        };
    }

    private void Put(OpenComm comm)
    {
        long before = _open.TryGetValue(comm.Id, out OpenComm? old) ? old.Bytes : 0;
        if (comm.IsTruncated || _bytes - before + comm.Bytes > StateBytesMax)
        {
            comm = comm with { State = comm.State is null ? null : Nothing, Buffers = [], OpeningJson = default, IsTruncated = true };
        }

        _bytes += comm.Bytes - before;
        _open[comm.Id] = comm;
    }

    private void Close(string id)
    {
        if (_open.Remove(id, out OpenComm? closed))
        {
            _bytes -= closed.Bytes;
            _order.Remove(id);
        }
    }

    private static ReadOnlyMemory<byte> Raw(JsonElement value) => System.Text.Encoding.UTF8.GetBytes(value.GetRawText());

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
