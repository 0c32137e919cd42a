using Holdfast.Engine.Callbacks;

namespace Holdfast.Tests.Callbacks;

/// <summary>
/// The server's side and the receivers', in memory and without time: rows that survive a crash, lanes that do not, attempts that are open,
/// and receivers that remember every request they saw.
/// </summary>
internal sealed class SimulatedCallbacks
{
    private readonly Random _random;
    private readonly CallbackSchedule _schedule = new([1, 2, 4]);
    private readonly List<(CallbackLane Lane, int Row)> _open = [];
    private CallbackLanes _lanes;

    public SimulatedCallbacks(Random random)
    {
        _random = random;
        _lanes = new CallbackLanes(Read);
    }

    public sealed class Row(int subject, string lane)
    {
        public int Subject { get; } = subject;
        public string Lane { get; } = lane;
        public CallbackStatus Status { get; set; } = new(CallbackState.Waiting, 0, 0);
        public int Attempts { get; set; }
        public int Cuts { get; set; }
        public int Redrives { get; set; }

        /// <summary>What its receiver saw, and said with what effect.</summary>
        public int Seen { get; set; }
        public bool IsAccepted { get; set; }
        public bool IsGone { get; set; }
    }

    public long Now { get; private set; } = 1_000_000;
    public List<Row> Rows { get; } = [];
    public int OpenAttempts => _open.Count;

    public void Step()
    {
        switch (_random.Next(10))
        {
            case 0 or 1:
                Tell();
                break;
            case 2 or 3 or 4:
                Take();
                break;
            case 5 or 6 or 7:
                Answer();
                break;
            case 8:
                Now += _random.Next(3_000_000);
                break;
            default:
                if (_random.Next(4) == 0)
                {
                    Crash();
                }
                else
                {
                    Redrive();
                }

                break;
        }
    }

    /// <summary>Every receiver answers well from here on, and time passes: what can be delivered is.</summary>
    public void Settle()
    {
        for (int idle = 0; idle < 3; idle++)
        {
            Now += 10_000_000;
            Take();
            while (_open.Count > 0)
            {
                End(0, CallbackVerdict.Delivered);
                Take();
                idle = 0;
            }
        }
    }

    private void Tell()
    {
        int subject = _random.Next(40);
        Rows.Add(new Row(subject, $"http://host{subject % 3}/{subject % 9}"));
        Move(Rows.Count - 1, CallbackTransitions.Tell(Rows[^1].Status, Now)!.Value);
    }

    private void Take()
    {
        _ = _lanes.Ring(Now);
        while (_lanes.TryTake(out CallbackLane? lane, out long sequence))
        {
            Row row = Rows[(int)sequence];
            if (CallbackTransitions.Begin(row.Status, Now) is { } status && !IsBlocked((int)sequence))
            {
                (row.Status, row.Attempts) = (status, row.Attempts + 1);
                _open.Add((lane, (int)sequence));
                Assert.True(_open.Count(o => o.Lane.Key == lane.Key) <= CallbackLimits.InFlightPerLaneMax);
            }
            else
            {
                _lanes.End(lane, sequence, null);
            }
        }
    }

    private void Answer()
    {
        if (_open.Count > 0)
        {
            CallbackVerdict verdict = _random.Next(6) switch
            {
                0 or 1 => CallbackVerdict.Delivered,
                2 => CallbackVerdict.Refused,
                3 when _random.Next(4) == 0 => CallbackVerdict.Gone,
                _ => CallbackVerdict.Failed,
            };
            End(_random.Next(_open.Count), verdict);
        }
    }

    private void End(int which, CallbackVerdict verdict)
    {
        (CallbackLane lane, int index) = _open[which];
        _open.RemoveAt(which);
        Row row = Rows[index];
        row.Seen += verdict == CallbackVerdict.Failed && _random.Next(2) == 0 ? 0 : 1; // A failure may have come before anything arrived.
        row.IsAccepted |= verdict == CallbackVerdict.Delivered;
        row.IsGone |= verdict == CallbackVerdict.Gone;
        Move(
            index,
            CallbackTransitions.End(row.Status, verdict, TimeSpan.FromSeconds(_random.Next(5)), _schedule, _random.NextDouble(), Now)!.Value
        );
        _lanes.End(lane, index, verdict == CallbackVerdict.Delivered);
    }

    /// <summary>Memory is gone; attempts that were under way may have arrived, and nobody knows.</summary>
    private void Crash()
    {
        foreach ((_, int index) in _open)
        {
            Rows[index].Seen += _random.Next(2);
            Rows[index].Cuts++;
        }

        _open.Clear();
        _lanes = new CallbackLanes(Read);
        for (int index = 0; index < Rows.Count; index++)
        {
            if (CallbackTransitions.Interrupt(Rows[index].Status, Now) is { } status)
            {
                Rows[index].Status = status;
            }

            if (Rows[index].Status.State == CallbackState.Pending)
            {
                _lanes.Wake(Rows[index].Lane, 0, Now);
            }
        }
    }

    private void Redrive()
    {
        if (Rows.Count > 0 && _random.Next(Rows.Count) is var index && CallbackTransitions.Redrive(Rows[index].Status, Now) is { } status)
        {
            Rows[index].Redrives++;
            Move(index, status);
        }
    }

    private void Move(int index, CallbackStatus status)
    {
        Row row = Rows[index];
        row.Status = status;
        if (status.State == CallbackState.Pending)
        {
            _lanes.Wake(row.Lane, status.DueAt, Now);
        }
    }

    private LanePage Read(string lane)
    {
        var pending = Enumerable
            .Range(0, Rows.Count)
            .Where(i => Rows[i].Lane == lane && Rows[i].Status.State == CallbackState.Pending)
            .ToList();
        List<long> due =
        [
            .. pending
                .Where(i => CallbackTransitions.IsDue(Rows[i].Status.DueAt, Now) && !IsBlocked(i))
                .OrderBy(i => Rows[i].Status.DueAt)
                .Take(CallbackLimits.PageSize)
                .Select(static i => (long)i),
        ];
        long[] later = [.. pending.Select(i => Rows[i].Status.DueAt).Where(d => d > Now)];
        return new LanePage(due, later.Length > 0 ? later.Min() : null);
    }

    private bool IsBlocked(int index) =>
        Rows.Take(index).Any(e => e.Subject == Rows[index].Subject && e.Status.State is CallbackState.Pending or CallbackState.Sending);
}
