using Holdfast.Protocol;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Attempts;

/// <summary>
/// The attempt's journal with the two policies a supervisor needs around it. Room: what cannot be appended waits in
/// <see cref="DurableSteps"/>, and whoever feeds it stops reading its source while <see cref="IsStalled"/>. Sync: at the steps that ask for
/// it, and otherwise each second or 8 MiB while something is unsynced; what is much is left to a thread that syncs behind, so that the loop
/// goes on reading.
/// </summary>
internal sealed unsafe class AttemptJournal : IDisposable
{
    private const int SyncIntervalMs = 1000;

    /// <summary>What the loop's own thread syncs without its pipes noticing: some milliseconds.</summary>
    private const long InlineSyncBytesMax = 1024 * 1024;

    /// <summary>Unsynced bytes past which the disk is set to work before the second is over.</summary>
    private const long SyncBehindBytes = 8 * 1024 * 1024;

    private readonly PollLoop _loop;
    private readonly string _directory;
    private readonly LoopTimer _syncTimer;
    private JournalWriter? _writer;
    private SyncBehind? _syncBehind;
    private LoopCallback? _settled;
    private long _syncedPosition;
    private long _stalledSince;
    private bool _isLast;

    public AttemptJournal(PollLoop loop, string directory)
    {
        _loop = loop;
        _directory = directory;
        Steps = new DurableSteps(loop) { StallChanged = OnStallChanged };
        _syncTimer = loop.AddTimer(SyncSome);
    }

    public DurableSteps Steps { get; }

    public bool IsStalled => Steps.IsStalled;

    /// <summary>Called when <see cref="IsStalled"/> has changed.</summary>
    public LoopCallback? StallChanged { get; set; }

    public long Position => _writer?.Position ?? 0;

    public bool HasUnsynced => _writer?.HasUnsynced ?? false;

    /// <summary>How much of what was said last is kept in the system's memory when more is said than that; 0 for all of it.</summary>
    public long CachedBytes { get; set; }

    /// <summary>Called while one large message is appended.</summary>
    public LoopCallback? Growing { get; set; }

    /// <summary>The exit record is in it.</summary>
    public bool IsComplete { get; private set; }

    public long StreamLength(JournalChannel channel) => _writer?.StreamLength(channel) ?? 0;

    /// <summary>Creates or recovers the files; the first of the steps.</summary>
    public void Open()
    {
        _writer ??= JournalWriter.Open(_directory, new JournalOptions());
        _writer.Growing = OnGrowing;
    }

    /// <summary>Appends an event when its turn comes.</summary>
    public void Record(AttemptEvent record) => Append(JournalChannel.Event, record.Write(), _loop.UnixNanoseconds, isLast: false);

    /// <summary>Appends the event after which nothing is ever appended.</summary>
    public void RecordLast(AttemptEvent record) => Append(JournalChannel.Event, record.Write(), _loop.UnixNanoseconds, isLast: true);

    /// <summary>Appends a payload when its turn comes; the array is kept until then.</summary>
    public void Append(JournalChannel channel, byte[] payload, long unixNanoseconds) =>
        Append(channel, payload, unixNanoseconds, isLast: false);

    /// <summary>
    /// Appends what was just read from a source. When there is no room the bytes stay where they are until there is, and the
    /// source must not be read into them meanwhile: it is told by <see cref="StallChanged"/>.
    /// </summary>
    public void AppendOutput(JournalChannel channel, byte* start, int length)
    {
        long at = _loop.UnixNanoseconds;
        if (!Steps.IsEmpty)
        {
            AppendLater(channel, start, length, at);
            return;
        }

        try
        {
            _writer!.Append(channel, new ReadOnlySpan<byte>(start, length), at);
            NoteAppended();
        }
        catch (JournalWriteException e)
        {
            AppendLater(channel, start + e.PayloadBytesWritten, (int)(length - e.PayloadBytesWritten), at);
        }
    }

    /// <summary>
    /// The same for a message of several parts (ZMQ frames), all of it or, when there is no room, from where it stopped: the parts must
    /// live until <paramref name="appended"/> is called.
    /// </summary>
    public void AppendParts(JournalChannel channel, NativePart[] parts, LoopCallback appended)
    {
        long at = _loop.UnixNanoseconds;
        NativePart[] rest = parts;
        Steps.Do(() =>
        {
            try
            {
                _writer!.Append(channel, rest, at);
            }
            catch (JournalWriteException e)
            {
                rest = After(rest, e.PayloadBytesWritten);
                throw;
            }

            NoteAppended();
            appended();
        });
    }

    /// <summary>
    /// Makes everything before it durable when its turn comes; then says whether that succeeded. A failed sync is final (the kernel forgets
    /// what it could not write), so it does not wait for better times.
    /// </summary>
    public void Sync(SyncCallback done) =>
        Steps.Do(() =>
        {
            string? failure = null;
            try
            {
                _writer!.Sync();
            }
            catch (IOException e)
            {
                failure = e.Message;
                SupervisorLog.Write("sync failed: " + failure);
            }

            _syncTimer.Stop();
            _syncedPosition = Position;
            done(failure);
        });

    /// <summary>
    /// Goes on when little is left to sync: at once as a rule, and after a job that said much when the disk has caught up, while the loop
    /// still answers. To be called when nothing more will be appended but what the callback appends.
    /// </summary>
    public void Settle(LoopCallback settled)
    {
        if (_writer is null || Position - _syncedPosition <= InlineSyncBytesMax)
        {
            settled();
            return;
        }

        _settled = settled;
        SyncBehindTheLoop();
    }

    public void Dispose()
    {
        _syncTimer.Remove();
        _syncBehind?.Dispose();
        Steps.Dispose();
        _writer?.Dispose();
    }

    private void Append(JournalChannel channel, byte[] payload, long at, bool isLast)
    {
        int written = 0;
        Steps.Do(() =>
        {
            _isLast = isLast;
            try
            {
                _writer!.Append(channel, payload.AsSpan(written), at);
            }
            catch (JournalWriteException e)
            {
                written += (int)e.PayloadBytesWritten;
                throw;
            }

            IsComplete = isLast;
            NoteAppended();
        });
    }

    private void AppendLater(JournalChannel channel, byte* start, int length, long at)
    {
        byte* from = start;
        int left = length;
        Steps.Do(() =>
        {
            try
            {
                _writer!.Append(channel, new ReadOnlySpan<byte>(from, left), at);
            }
            catch (JournalWriteException e)
            {
                from += e.PayloadBytesWritten;
                left -= (int)e.PayloadBytesWritten;
                throw;
            }

            NoteAppended();
        });
    }

    private static NativePart[] After(NativePart[] parts, long bytes)
    {
        int i = 0;
        while (i < parts.Length && bytes >= parts[i].Length)
        {
            bytes -= parts[i].Length;
            i++;
        }

        NativePart[] rest = parts[i..];
        if (rest.Length > 0)
        {
            rest[0] = new NativePart(rest[0].Start + bytes, rest[0].Length - bytes);
        }

        return rest;
    }

    private void NoteAppended()
    {
        CrashPoints.Reach(CrashPoint.SupervisorAppended);
        if (!_syncTimer.IsArmed)
        {
            _syncTimer.Start(SyncIntervalMs);
        }

        SyncMuch();
    }

    private void OnGrowing()
    {
        SyncMuch();
        Growing?.Invoke();
    }

    private void SyncMuch()
    {
        if (Position - _syncedPosition > SyncBehindBytes && _syncBehind is not { IsBusy: true })
        {
            SyncBehindTheLoop();
        }
    }

    private void SyncSome()
    {
        if (_writer is null || !_writer.HasUnsynced)
        {
            return;
        }

        if (Position - _syncedPosition > InlineSyncBytesMax)
        {
            SyncBehindTheLoop();
            _syncTimer.Start(SyncIntervalMs);
        }
        else if (!IsStalled)
        {
            Sync(static _ => { });
        }
    }

    private void SyncBehindTheLoop()
    {
        _syncBehind ??= new SyncBehind(_loop, _directory, SyncedBehind);
        if (!_syncBehind.IsBusy)
        {
            _syncBehind.Ask(Position, CachedBytes == 0 ? 0 : Position - CachedBytes);
        }
    }

    private void SyncedBehind(long position)
    {
        _syncedPosition = Math.Max(_syncedPosition, position);
        try
        {
            _writer!.NoteSynced(position);
        }
        catch (IOException e)
        {
            // Final, and found again by the sync that ends the attempt, which tells it.
            SupervisorLog.Write("sync failed: " + e.Message);
        }

        if (_settled is { } settled)
        {
            _settled = null;
            Settle(settled);
        }
    }

    private void OnStallChanged()
    {
        // 1. The stall's record is the first thing written when there is room, before what waits; its end is recorded unless the attempt
        // ended with it.
        if (IsStalled)
        {
            _stalledSince = _loop.UnixNanoseconds;
            byte[] stalled = new AttemptEvent
            {
                Event = AttemptEvent.Stalled,
                Reason = Steps.StallReason,
                AtUnixNanoseconds = _stalledSince,
            }.Write();
            Steps.DoFirst(() => _writer?.Append(JournalChannel.Event, stalled, _loop.UnixNanoseconds));
        }
        else if (!IsComplete && !_isLast && _writer is not null)
        {
            Record(new AttemptEvent { Event = AttemptEvent.Unstalled });
        }

        StallChanged?.Invoke();
    }
}

/// <summary>Told that a sync is over; null when everything is durable, else the failure.</summary>
internal delegate void SyncCallback(string? failure);
