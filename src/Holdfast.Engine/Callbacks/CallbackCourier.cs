using System.Text.Json;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Store;
using Holdfast.Protocol;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Callbacks;

/// <summary>
/// Carries callbacks to their receivers. One loop decides who is next; it sleeps until the feed says that something is due, a time comes,
/// or an attempt ends. An attempt is
/// 1. stored as begun; 2. made; 3. stored with what came of it. A crash before 1 leaves it due; between 1 and 3 the next start makes it
/// again, at once and under the same id; after 3 it is known.
/// </summary>
public sealed partial class CallbackCourier : IAsyncDisposable
{
    private static readonly TimeSpan StoreRetryDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StumbleDelay = TimeSpan.FromSeconds(10);

    /// <summary>What is under way at a stop may end so long; then it is cut off, and sent again at the next start.</summary>
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(1);

    /// <summary>Timers do not take more than 49 days, and need not: looking once a day costs nothing.</summary>
    private static readonly TimeSpan TimerMax = TimeSpan.FromDays(1);

    private readonly StateStore _store;
    private readonly CallbackLedger _ledger;
    private readonly FeedLog _feed;
    private readonly ICallbackSender _webhooks;
    private readonly ICallbackSender _commands;
    private readonly EngineMeters _meters;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CallbackLanes _lanes; // The loop's alone.
    private readonly ITimer _timer;
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly object _gate = new();

    // Guarded by _gate: lanes with something new, and from when; bounded by the number of receivers.
    private Dictionary<string, long> _noted = [];
    private List<Ended> _ended = []; // Guarded by _gate; bounded by what is under way.
    private volatile bool _isClosing;
    private Task _loop = Task.CompletedTask;

    private readonly record struct Ended(CallbackLane Lane, long Sequence, bool? IsDelivered, bool HasStumbled);

    public CallbackCourier(
        StateStore store,
        CallbackLedger ledger,
        FeedLog feed,
        ICallbackSender webhooks,
        ICallbackSender commands,
        EngineMeters meters,
        TimeProvider time,
        ILogger<CallbackCourier> logger
    )
    {
        (_store, _ledger, _feed, _webhooks, _commands, _meters, _time, _logger) = (
            store,
            ledger,
            feed,
            webhooks,
            commands,
            meters,
            time,
            logger
        );
        _lanes = new CallbackLanes(Read);
        _timer = time.CreateTimer(_ => Signal(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _feed.Published += OnPublished;
    }

    public bool IsStarted { get; private set; }

    /// <summary>Begins, with the receivers that something is on its way to; or looks at them again.</summary>
    public void Start(IEnumerable<string> lanes)
    {
        foreach (string lane in lanes)
        {
            Note(lane, 0);
        }

        if (!IsStarted)
        {
            IsStarted = true;
            _loop = RunAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _feed.Published -= OnPublished;
        _isClosing = true;
        Signal();
        try
        {
            await _loop.WaitAsync(StopPatience, _time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            await _stopping.CancelAsync();
            await _loop;
        }

        await _timer.DisposeAsync();
        _stopping.Dispose();
        _signal.Dispose();
    }

    private LanePage Read(string lane) =>
        _store.Read(reader =>
        {
            long now = _time.NowMicroseconds();
            return new LanePage(CallbacksTable.Due(reader, lane, now, CallbackLimits.PageSize), CallbacksTable.NextDue(reader, lane, now));
        });

    private void OnPublished(FeedEvent published)
    {
        if (published.Kind == "callback.pending")
        {
            using JsonDocument body = JsonDocument.Parse(published.Body);
            Note(
                body.RootElement.GetProperty("to").GetString()!,
                UnixTime.ToMicroseconds(body.RootElement.GetProperty("dueAt").GetDateTimeOffset())
            );
        }
    }

    private void Note(string lane, long dueAt)
    {
        lock (_gate)
        {
            _noted[lane] = Math.Min(dueAt, _noted.GetValueOrDefault(lane, long.MaxValue));
        }

        Signal();
    }

    private void Signal()
    {
        lock (_signal)
        {
            if (_signal.CurrentCount == 0)
            {
                _signal.Release();
            }
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            await _signal.WaitAsync(CancellationToken.None);
            long now = _time.NowMicroseconds();
            TakeNotes(now);
            if (_isClosing)
            {
                if (_lanes.InFlight == 0)
                {
                    return;
                }

                continue;
            }

            try
            {
                Go(now);
            }
            catch (Exception e)
            {
                // The store could not be read. Nothing is lost: everything is in it, and is looked for again.
                Log.RoundFailed(_logger, e);
                SetTimer(now + (long)StumbleDelay.TotalMicroseconds, now);
            }
        }
    }

    private void TakeNotes(long now)
    {
        Dictionary<string, long> noted;
        List<Ended> ended;
        lock (_gate)
        {
            (noted, _noted) = (_noted, []);
            (ended, _ended) = (_ended, []);
        }

        foreach (Ended one in ended)
        {
            if (one.HasStumbled)
            {
                _lanes.Stumble(one.Lane, one.Sequence, now + (long)StumbleDelay.TotalMicroseconds);
            }
            else
            {
                _lanes.End(one.Lane, one.Sequence, one.IsDelivered);
            }
        }

        foreach ((string lane, long dueAt) in noted)
        {
            _lanes.Wake(lane, dueAt, now);
        }
    }

    private void Go(long now)
    {
        _ = _lanes.Ring(now);
        while (_lanes.TryTake(out CallbackLane? lane, out long sequence))
        {
            _ = CarryAsync(lane, sequence);
        }

        // Taking has read the store, which may have brought earlier alarms.
        if (_lanes.Ring(now) is { } next)
        {
            SetTimer(next, now);
        }
    }

    private void SetTimer(long at, long now)
    {
        // Rounded up: an early timer would find nothing due.
        TimeSpan wait = TimeSpan.FromMicroseconds(Math.Max(0, at - now)) + TimeSpan.FromMilliseconds(1);
        _timer.Change(wait < TimerMax ? wait : TimerMax, Timeout.InfiniteTimeSpan);
    }

    private async Task CarryAsync(CallbackLane lane, long sequence)
    {
        bool? isDelivered = null;
        bool hasStumbled = false;
        try
        {
            await Task.Yield(); // The loop goes on to the next.
            CrashPoints.Reach(CrashPoint.ServerCallbackTaken);
            if (await _store.WriteAsync(transaction => _ledger.Begin(transaction, sequence), _stopping.Token) is not { } begun)
            {
                return;
            }

            CrashPoints.Reach(CrashPoint.ServerCallbackBegun);
            long start = _time.GetTimestamp();
            if (await AttemptAsync(begun) is not { } answer)
            {
                await StoreAsync(transaction => _ledger.Interrupt(transaction, begun));
                return;
            }

            CrashPoints.Reach(CrashPoint.ServerCallbackSent);
            isDelivered = answer.Verdict == CallbackVerdict.Delivered;
            TimeSpan taken = _time.GetElapsedTime(start);
            Callback? told = await StoreAsync(transaction => _ledger.End(transaction, begun, answer));
            _meters.CallbackTried(
                isDelivered is true ? "delivered"
                    : told?.Status.State is CallbackState.Parked or CallbackState.Disabled ? "parked"
                    : "retried",
                taken
            );
            if (told is { Status.State: CallbackState.Parked or CallbackState.Disabled } given)
            {
                Log.Parked(_logger, given.Id.Value, given.SubjectId, given.Status.State.Name(), given.Attempts, given.Reason);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Not begun: it is due as before.
        }
        catch (StoreException e)
        {
            hasStumbled = true;
            Log.NotStored(_logger, e);
        }
        finally
        {
            lock (_gate)
            {
                _ended.Add(new Ended(lane, sequence, isDelivered, hasStumbled));
            }

            Signal();
        }
    }

    /// <summary>Null when the stop of the server cut it off.</summary>
    private async Task<CallbackAnswer?> AttemptAsync(Callback begun)
    {
        try
        {
            return await (begun.Order.Url is null ? _commands : _webhooks).SendAsync(begun, _stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e)
        {
            // A fault of ours, or one of the runtime's that nobody has thought of: it must not keep this callback under way for ever.
            Log.RoundFailed(_logger, e);
            return new CallbackAnswer(CallbackVerdict.Failed) { Error = $"The attempt failed inside of the server: {e.Message}" };
        }
    }

    /// <summary>
    /// What came of an attempt is stored as soon as it can be: until then it counts as under way. Null when the server stops before.
    /// </summary>
    private async Task<Callback?> StoreAsync(Func<StoreTransaction, Callback?> change)
    {
        while (true)
        {
            try
            {
                return await _store.WriteAsync(change, CancellationToken.None);
            }
            catch (StoreException e) when (!_isClosing)
            {
                Log.NotStored(_logger, e);
                await Task.Delay(StoreRetryDelay, _time, CancellationToken.None);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.CallbackParked,
            LogLevel.Warning,
            "Callback {Callback} of {Subject} is {State} after {Attempts} attempts: {Reason}"
        )]
        public static partial void Parked(ILogger logger, string callback, string subject, string state, int attempts, string? reason);

        [LoggerMessage(EventIds.CallbackNotStored, LogLevel.Warning, "A change of a callback could not be stored; it is tried again.")]
        public static partial void NotStored(ILogger logger, Exception exception);

        [LoggerMessage(EventIds.CallbackRoundFailed, LogLevel.Error, "A round of callbacks failed; the next one goes on.")]
        public static partial void RoundFailed(ILogger logger, Exception exception);
    }
}
