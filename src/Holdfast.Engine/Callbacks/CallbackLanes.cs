using System.Diagnostics.CodeAnalysis;

namespace Holdfast.Engine.Callbacks;

/// <summary>What the store has of a lane: what is due, and when the next falls due after that.</summary>
internal sealed record LanePage(IReadOnlyList<long> Due, long? Next);

/// <summary>
/// Who is next: a lane for each receiver, each in turn, within the bounds for a receiver, a host and all together. So a receiver that is
/// slow or dead costs only itself. It holds a page of each lane; the rest is read when that is used up. It knows no store, no clock and no
/// network, and belongs to one loop.
/// </summary>
internal sealed class CallbackLanes(Func<string, LanePage> read)
{
    private readonly Dictionary<string, CallbackLane> _lanes = [];
    private readonly Queue<CallbackLane> _ready = new();
    private readonly Dictionary<string, int> _inFlightByHost = [];
    private readonly Dictionary<string, List<CallbackLane>> _blockedByHost = [];
    private readonly PriorityQueue<CallbackLane, long> _alarms = new(); // An entry whose time is not its lane's any more means nothing.

    public int InFlight { get; private set; }

    public int Count => _lanes.Count;

    /// <summary>Something of this lane is due at a time.</summary>
    public void Wake(string key, long dueAt, long now)
    {
        if (!_lanes.TryGetValue(key, out CallbackLane? lane))
        {
            _lanes[key] = lane = new CallbackLane(key);
        }

        if (CallbackTransitions.IsDue(dueAt, now))
        {
            lane.MayHaveDue = true;
            MakeReady(lane);
        }
        else
        {
            SetAlarm(lane, dueAt);
        }
    }

    /// <summary>Looks at what has fallen due; when the next does, null when nothing will.</summary>
    public long? Ring(long now)
    {
        while (_alarms.TryPeek(out CallbackLane? lane, out long at))
        {
            if (lane.NextDue == at && at > now)
            {
                return at;
            }

            _alarms.Dequeue();
            if (lane.NextDue == at)
            {
                lane.NextDue = long.MaxValue;
                lane.MayHaveDue = true;
                MakeReady(lane);
            }
        }

        return null;
    }

    /// <summary>The next one to be sent; false when nothing is due, or nothing more may be under way.</summary>
    public bool TryTake([NotNullWhen(true)] out CallbackLane? lane, out long sequence)
    {
        while (InFlight < CallbackLimits.InFlightMax && _ready.TryDequeue(out lane))
        {
            lane.IsReady = false;
            if (lane.Loaded.Count == 0 && lane.MayHaveDue && !lane.IsFull)
            {
                Load(lane);
            }

            if (lane.Loaded.Count == 0 || lane.IsFull)
            {
                ForgetIfOver(lane); // Else an end, or an alarm, brings it back.
                continue;
            }

            if (_inFlightByHost.GetValueOrDefault(lane.Host) >= lane.InFlightPerHostMax)
            {
                Block(lane);
                continue;
            }

            sequence = lane.Loaded.Dequeue();
            lane.InFlight.Add(sequence);
            _inFlightByHost[lane.Host] = _inFlightByHost.GetValueOrDefault(lane.Host) + 1;
            InFlight++;
            MakeReady(lane); // At the end of the line: the others come first.
            return true;
        }

        (lane, sequence) = (null, 0);
        return false;
    }

    /// <summary>One is not under way any more. Null: nothing was learned about its receiver.</summary>
    public void End(CallbackLane lane, long sequence, bool? isDelivered)
    {
        lane.InFlight.Remove(sequence);
        InFlight--;
        if (--_inFlightByHost[lane.Host] == 0)
        {
            _inFlightByHost.Remove(lane.Host);
        }

        if (isDelivered is { } known)
        {
            lane.Learn(known);
        }

        lane.MayHaveDue = true; // Another outcome of the same execution may have waited for this one.
        MakeReady(lane);
        if (_blockedByHost.Remove(lane.Host, out List<CallbackLane>? blocked))
        {
            blocked.ForEach(MakeReady);
        }
    }

    /// <summary>It could not even be begun, since nothing can be stored: the lane rests until a time.</summary>
    public void Stumble(CallbackLane lane, long sequence, long until)
    {
        End(lane, sequence, null);
        lane.Loaded.Clear();
        lane.MayHaveDue = false;
        SetAlarm(lane, until);
    }

    private void Load(CallbackLane lane)
    {
        LanePage page = read(lane.Key);
        foreach (long sequence in page.Due.Where(s => !lane.InFlight.Contains(s)))
        {
            lane.Loaded.Enqueue(sequence);
        }

        lane.MayHaveDue = page.Due.Count >= CallbackLimits.PageSize;
        if (page.Next is { } next)
        {
            SetAlarm(lane, next);
        }
    }

    private void SetAlarm(CallbackLane lane, long at)
    {
        if (at < lane.NextDue)
        {
            lane.NextDue = at;
            _alarms.Enqueue(lane, at);
        }
    }

    private void MakeReady(CallbackLane lane)
    {
        if (!lane.IsReady)
        {
            lane.IsReady = true;
            _ready.Enqueue(lane);
        }
    }

    private void Block(CallbackLane lane)
    {
        if (!_blockedByHost.TryGetValue(lane.Host, out List<CallbackLane>? blocked))
        {
            _blockedByHost[lane.Host] = blocked = [];
        }

        blocked.Add(lane);
    }

    private void ForgetIfOver(CallbackLane lane)
    {
        if (lane.IsOver)
        {
            _lanes.Remove(lane.Key);
        }
    }
}
