using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.SystemTests.Kernels;

/// <summary>One thing the journal says: a message, an event, or output bytes.</summary>
internal sealed record TapeEntry(JournalChannel Channel, byte[] Payload)
{
    public JupyterMessage? Message { get; } =
        Channel is JournalChannel.Event or JournalChannel.Stdout or JournalChannel.Stderr
            ? null
            : JupyterMessage.TryParse(Payload) ?? throw new InvalidDataException($"A {Channel} record that is no message.");

    public AttemptEvent? Event { get; } = Channel == JournalChannel.Event ? AttemptEvent.Read(Payload) : null;
}

/// <summary>A kernel's journal as it grows, split payloads joined.</summary>
internal sealed class JournalTape(string directory) : IDisposable
{
    private readonly Dictionary<JournalChannel, List<byte>> _unfinished = [];
    private JournalReader? _reader;

    public List<TapeEntry> Entries { get; } = [];

    public IEnumerable<AttemptEvent> Events => Entries.Where(static e => e.Event is not null).Select(static e => e.Event!);

    public string Text(JournalChannel channel) =>
        System.Text.Encoding.UTF8.GetString(Entries.Where(e => e.Channel == channel).SelectMany(static e => e.Payload).ToArray());

    /// <summary>Reads what is there now.</summary>
    public void Read()
    {
        _reader ??= JournalReader.Open(directory);
        while (_reader.TryRead(out JournalRecord record))
        {
            bool isSplit = (record.Flags & JournalFlags.Continues) != 0;
            if (!isSplit && !_unfinished.ContainsKey(record.Channel))
            {
                Entries.Add(new TapeEntry(record.Channel, record.Payload.ToArray()));
                continue;
            }

            if (!_unfinished.TryGetValue(record.Channel, out List<byte>? joined))
            {
                _unfinished[record.Channel] = joined = [];
            }

            joined.AddRange(record.Payload.Span);
            if (!isSplit)
            {
                _unfinished.Remove(record.Channel);
                Entries.Add(new TapeEntry(record.Channel, joined.ToArray()));
            }
        }
    }

    public void Dispose() => _reader?.Dispose();
}
