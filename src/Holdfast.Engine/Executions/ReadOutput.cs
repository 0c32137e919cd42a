using Holdfast.Engine.Retention;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Journal;

namespace Holdfast.Engine.Executions;

/// <summary>
/// A place in an execution's output, from which its bytes are read as they come. One owner at a time; reads without waiting, and says what
/// to wait for.
/// </summary>
public abstract class OutputReading(LiveAttempt? live) : IDisposable
{
    /// <summary>The offset of the byte that is read next.</summary>
    public abstract long Offset { get; }

    /// <summary>How many bytes there are by now. Errors: output-unreadable.</summary>
    public long Length
    {
        get
        {
            try
            {
                return field = field > 0 && IsComplete ? field : Measure();
            }
            catch (IOException e)
            {
                throw Unreadable(e.Message);
            }
        }
    }

    /// <summary>Bytes of the journal that were not read yet; for people to look at.</summary>
    public abstract long Lag { get; }

    /// <summary>
    /// The work has not been started, or is between two attempts: there is nothing to read, and no growth to wait for here.
    /// </summary>
    public bool IsPending => live is null && !IsComplete;

    /// <summary>Nothing more will be written. Take it before reading, so that what was written before the end is read.</summary>
    public bool IsEnded => live is null || live.IsEnded || HasReadEnd;

    /// <summary>All of the output is there: <see cref="Length"/> is final.</summary>
    public abstract bool IsComplete { get; }

    /// <summary>Completes when there may be more. Take it before reading.</summary>
    public Task Growth => live?.Growth ?? Task.CompletedTask;

    /// <summary>The journal ends before what the outcome says was said.</summary>
    public virtual bool LacksEnd => false;

    /// <summary>The next bytes, valid until the next call; false when there are none now. Errors: output-unreadable.</summary>
    public bool TryRead(out ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return TryTake(out bytes);
        }
        catch (IOException e)
        {
            throw Unreadable(e.Message); // The journal, or the file in its place, says what is wrong with it.
        }
    }

    /// <summary>When nothing was read at the end of what there is: refused, output-unreadable, where there was more once.</summary>
    public void ThrowIfMissing()
    {
        if (IsComplete && (LacksEnd || Offset < Length))
        {
            throw Unreadable("The journal is damaged or cut off here.");
        }
    }

    public abstract void Dispose();

    protected LiveAttempt? Live => live;

    protected abstract long Measure();

    protected abstract bool TryTake(out ReadOnlyMemory<byte> bytes);

    /// <summary>The end was met while reading.</summary>
    protected virtual bool HasReadEnd => false;

    private RefusedException Unreadable(string detail) =>
        new(
            ErrorCodes.OutputUnreadable,
            $"What was said cannot be read from offset {Offset} on: {detail} What comes before it can, and the outcome stands."
        );
}

/// <summary>
/// Opens an execution's output at an offset: of its latest attempt, while it runs and for as long as its journal is kept. Jobs have the
/// bytes they wrote; cells what a terminal would have shown. Errors: execution-not-found, output-offset-invalid, output-gone,
/// output-unreadable.
/// </summary>
public sealed class ReadOutput(StateStore store, LiveAttempts attempts, AttemptFolders folders)
{
    public OutputReading Open(ExecutionId id, OutputStream stream, long offset)
    {
        Execution execution = store.Read(reader => ExecutionsTable.Find(reader, id)) ?? throw ExecutionId.NotFound(id.Value);
        LiveAttempt? live =
            execution.AttemptId is { } attempt && !execution.State.IsSettled() && attempts.TryGet(attempt, out LiveAttempt? found)
                ? found
                : null;
        if (live is not null)
        {
            _ = live.WatchQuietlyAsync();
        }

        string? journal = execution.AttemptId is { } current ? new Protocol.Attempts.AttemptFiles(folders.Of(current)).Journal : null;
        if (
            live is null
            && execution.State.IsTerminal()
            && journal is not null
            && !Directory.Exists(journal)
            && store.Read(reader => RetentionTable.IsJournalRemoved(reader, execution.AttemptId!.Value))
        )
        {
            throw new RefusedException(
                ErrorCodes.OutputGone,
                $"What execution {id} said is no longer kept; its outcome is. How long output is kept is said by holdfast serve --keep-output."
            );
        }

        OutputReading reading =
            execution.Kind == ExecutionKind.Job
                ? new JobOutput(live, journal, stream, offset, execution.State.IsSettled(), execution.OutputBytes)
                : new Kernels.CellOutput(live, journal, execution, stream, offset);
        try
        {
            if (reading.IsComplete && offset > reading.Length)
            {
                reading.ThrowIfMissing();
                throw new RefusedException(
                    ErrorCodes.OutputOffsetInvalid,
                    $"The output is complete and has {reading.Length} bytes; there is no offset {offset} in it."
                );
            }
        }
        catch
        {
            reading.Dispose();
            throw;
        }

        return reading;
    }
}
