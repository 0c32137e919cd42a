namespace Holdfast.Engine.Callbacks;

/// <summary>
/// One receiver: what of its callbacks is in memory and under way, and how much at once it has shown that it can take. Owned by
/// <see cref="CallbackLanes"/>.
/// </summary>
internal sealed class CallbackLane(string key)
{
    private int _limit = CallbackLimits.InFlightPerNewLane;

    public string Key { get; } = key;
    public string Host { get; } = CallbackOrder.HostOf(key);

    /// <summary>Each command is a process and a thread, and they all run here.</summary>
    public int InFlightPerHostMax => CallbackOrder.IsCommand(Key) ? CallbackLimits.InFlightCommandsMax : CallbackLimits.InFlightPerHostMax;

    /// <summary>Due and not begun, in order.</summary>
    public Queue<long> Loaded { get; } = new();

    public HashSet<long> InFlight { get; } = [];

    /// <summary>The store may have more that is due.</summary>
    public bool MayHaveDue { get; set; }

    /// <summary>When something of it falls due; never: <see cref="long.MaxValue"/>.</summary>
    public long NextDue { get; set; } = long.MaxValue;

    /// <summary>It stands in the line of those that can go on.</summary>
    public bool IsReady { get; set; }

    public bool IsFull => InFlight.Count >= _limit;
    public bool IsOver => Loaded.Count == 0 && InFlight.Count == 0 && !MayHaveDue && NextDue == long.MaxValue;

    /// <summary>
    /// A receiver that answers gets one more at once each time; one that does not gets one, so that a dead one holds a single place for as
    /// long as its silence is waited for.
    /// </summary>
    public void Learn(bool isDelivered) => _limit = isDelivered ? Math.Min(_limit + 1, CallbackLimits.InFlightPerLaneMax) : 1;
}
