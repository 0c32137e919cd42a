using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Journal;

namespace Holdfast.Engine.Executions;

/// <summary>A job's output: the very bytes of its pipes, out of its attempt's journal.</summary>
internal sealed class JobOutput(LiveAttempt? live, string? journal, OutputStream stream, long offset, bool isTerminal, long? said)
    : OutputReading(live)
{
    private JournalOutput? _output;
    private OutputLengths? _end;

    public override long Offset => _output?.Offset ?? offset;

    public override long Lag =>
        journal is not null && _output is { } output ? Math.Max(0, JournalFormat.EndOf(journal) - output.Position) : 0;

    public override bool IsComplete => isTerminal;

    public override bool LacksEnd => isTerminal && said > End.All;

    private OutputLengths End => _end ??= journal is not null && Directory.Exists(journal) ? JournalOutput.Measure(journal) : default;

    protected override bool HasReadEnd => _output?.HasExited ?? false;

    protected override bool TryTake(out ReadOnlyMemory<byte> bytes)
    {
        bytes = default;
        _output ??= Open();
        return _output is not null && _output.TryRead(out bytes);
    }

    protected override long Measure() => End.Of(stream);

    public override void Dispose() => _output?.Dispose();

    /// <summary>Null while the job has not been started: there is nothing to read in.</summary>
    private JournalOutput? Open() => journal is not null && Directory.Exists(journal) ? JournalOutput.Open(journal, stream, offset) : null;
}
