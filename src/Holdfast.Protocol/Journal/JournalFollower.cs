namespace Holdfast.Protocol.Journal;

/// <summary>
/// Follows a journal while it grows: read until there is nothing, wait, read again. Woken by <see cref="Pulse"/>, never by a timer.
/// Ends after the exit event, at damage, or when told that nothing more will come. Pulse and Finish may be called from any thread.
/// </summary>
/// <remarks>
/// <code>
/// do { while (follower.TryRead(out JournalRecord record)) { ... } } while (await follower.WaitAsync(cancellationToken));
/// </code>
/// </remarks>
public sealed class JournalFollower : IDisposable
{
    private readonly JournalReader _reader;
    private readonly JournalWake _wake = new();
    private volatile bool _isFinished;
    private bool _isDrained;
    private ExitWatch _exit;

    private JournalFollower(JournalReader reader) => _reader = reader;

    /// <summary>Where the next record starts; what to store in order to follow on from here later.</summary>
    public long Position => _reader.Position;

    /// <summary>Why there was nothing to read.</summary>
    public JournalEnd End => _reader.End;

    /// <summary>True once the exit event was read.</summary>
    public bool HasExited => _exit.HasExited;

    public static JournalFollower Open(string directory, long position = 0) => new(JournalReader.Open(directory, position));

    /// <summary>The next record, when one is there. Its payload is valid until the next call.</summary>
    public bool TryRead(out JournalRecord record)
    {
        // Looked at before the read: what was appended before Finish was called is read before the end is declared.
        bool wasFinished = _isFinished;
        if (_reader.TryRead(out record))
        {
            _exit.See(record);
            return true;
        }

        _isDrained = wasFinished;
        return false;
    }

    /// <summary>
    /// Waits until there may be more; true then, and false when there never will be. Call it when <see cref="TryRead"/> gave nothing.
    /// </summary>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        if (_exit.HasExited || _isDrained || _reader.End is JournalEnd.Damaged or JournalEnd.Beyond)
        {
            return false;
        }

        await using (cancellationToken.UnsafeRegister(static follower => ((JournalFollower)follower!).Pulse(), this))
        {
            await _wake.WaitAsync();
        }

        cancellationToken.ThrowIfCancellationRequested();
        return true;
    }

    /// <summary>Says that the journal has grown.</summary>
    public void Pulse() => _wake.Signal();

    /// <summary>The same, and whoever waits goes on before this returns.</summary>
    public void PulseInline() => _wake.SignalInline();

    /// <summary>Says that the journal grows no more, because its writer is gone. What it holds is still read to the end.</summary>
    public void Finish()
    {
        _isFinished = true;
        Pulse();
    }

    /// <summary>Closes the file. A late pulse does no harm.</summary>
    public void Dispose() => _reader.Dispose();
}
