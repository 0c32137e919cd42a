using Holdfast.Protocol.Journal;

namespace Holdfast.Engine.Kernels.Comms;

/// <summary>
/// Reads the comms of one incarnation out of its journal when somebody asks, and goes on from there when somebody asks again: a kernel
/// whose comms nobody wants costs nothing, and nothing has to be stored for the time after a restart.
/// </summary>
internal sealed class CommReader(string journal)
{
    private readonly Lock _lock = new();
    private readonly CommFold _fold = new(); // guarded by _lock, as is all below
    private readonly MessageJoiner _joiner = new(static large => CommFold.IsComm(large.Head.MessageType));
    private long _position;

    /// <summary>Those open now. Reads the journal: up to its size the first time.</summary>
    public IReadOnlyList<OpenComm> Read()
    {
        lock (_lock)
        {
            if (Directory.Exists(journal))
            {
                using JournalReader reader = JournalReader.Open(journal, _position);
                while (reader.TryRead(out JournalRecord record))
                {
                    if (
                        record.Channel is JournalChannel.IoPub or JournalChannel.ShellRequest
                        && _joiner.TryTake(record, out KernelMessage message)
                    )
                    {
                        _fold.Take(message);
                    }
                }

                _position = reader.Position;
            }

            return _fold.Open;
        }
    }
}
