using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Loop;

/// <summary>
/// The one thread of a supervisor: waits for descriptors, ZMQ sockets and timers, and calls back. Nothing in it blocks, and nothing else
/// calls its members: a thread that has news writes to an <see cref="WakeUp"/>.
/// </summary>
internal sealed unsafe class PollLoop
{
    private readonly TimeProvider _time;
    private readonly List<PollRegistration> _registrations = [];
    private readonly List<LoopTimer> _timers = [];
    private PollRegistration[] _polled = new PollRegistration[8];

    // Not `[]`: an empty array of an own struct is generic code that nobody has compiled ahead.
    private PollItem[] _items = new PollItem[8];
    private int _count;
    private bool _hasChanged = true;
    private bool _isStopped;

    public PollLoop(TimeProvider time) => _time = time;

    /// <summary>poll(2); a kernel's supervisor puts here what knows ZMQ sockets, before it registers one.</summary>
    public PollCall PollCall { get; set; } = SystemPoll.Poll;

    /// <summary>Runs after each batch of events: the place for what is said once per batch however much happened in it.</summary>
    public LoopCallback? AfterBatch { get; set; }

    /// <summary>
    /// What comes while news is handled is of the same batch. For kernels: a reply and its idle come from two sockets a moment apart, and
    /// told one by one they wake everybody twice.
    /// </summary>
    public bool LooksTwice { get; set; }

    public long NowMs => (long)_time.GetElapsedTime(0, _time.GetTimestamp()).TotalMilliseconds;

    public long UnixNanoseconds => (_time.GetUtcNow().Ticks - DateTime.UnixEpoch.Ticks) * 100;

    public PollRegistration Add(int fd, PollEvents events, PollCallback callback) => Add(0, fd, events, callback);

    /// <summary>A ZMQ socket with its descriptor. Whoever uses the socket outside its callback says so by <see cref="NoteUse"/>.</summary>
    public PollRegistration AddSocket(nint socket, int fd, PollEvents events, PollCallback callback) => Add(socket, fd, events, callback);

    /// <summary>A ZMQ socket was used: see <see cref="PollRegistration.IsUnsure"/>.</summary>
    public void NoteUse(nint socket)
    {
        foreach (PollRegistration registration in _registrations)
        {
            registration.IsUnsure |= registration.Socket == socket;
        }
    }

    public LoopTimer AddTimer(LoopCallback callback)
    {
        var timer = new LoopTimer(this, callback);
        _timers.Add(timer);
        return timer;
    }

    /// <summary>Handles events until <see cref="Stop"/>.</summary>
    public void Run()
    {
        while (!_isStopped)
        {
            RunOnce(Timeout.Infinite);
        }
    }

    /// <summary>Ends <see cref="Run"/> after the present batch.</summary>
    public void Stop() => _isStopped = true;

    /// <summary>One wait, of at most <paramref name="longestMs"/> (-1: until something happens), and the callbacks it brings.</summary>
    public void RunOnce(int longestMs)
    {
        if (Wait(TimeoutMs(longestMs)) > 0)
        {
            Dispatch();
            if (LooksTwice && !_isStopped && Wait(0) > 0)
            {
                Dispatch();
            }
        }

        FireTimers();
        AfterBatch?.Invoke();
    }

    internal void Changed() => _hasChanged = true;

    internal void Removed(PollRegistration registration)
    {
        // By hand: List.Remove makes a comparer for the type by reflection.
        for (int i = 0; i < _registrations.Count; i++)
        {
            if (ReferenceEquals(_registrations[i], registration))
            {
                _registrations.RemoveAt(i);
                break;
            }
        }

        _hasChanged = true;
    }

    internal void Removed(LoopTimer timer)
    {
        for (int i = 0; i < _timers.Count; i++)
        {
            if (ReferenceEquals(_timers[i], timer))
            {
                _timers.RemoveAt(i);
                return;
            }
        }
    }

    private PollRegistration Add(nint socket, int fd, PollEvents events, PollCallback callback)
    {
        var registration = new PollRegistration(this, socket, fd, events, callback);
        _registrations.Add(registration);
        _hasChanged = true;
        return registration;
    }

    private void Rebuild()
    {
        if (_polled.Length < _registrations.Count)
        {
            _polled = new PollRegistration[_registrations.Count + 4];
            _items = new PollItem[_polled.Length];
        }

        _count = 0;
        foreach (PollRegistration registration in _registrations)
        {
            if (registration.Events == PollEvents.None)
            {
                continue;
            }

            _polled[_count] = registration;
            _items[_count] = new PollItem
            {
                Socket = registration.Socket,
                Fd = registration.Fd,
                Events = registration.Events,
            };
            _count++;
        }

        Array.Clear(_polled, _count, _polled.Length - _count);
        _hasChanged = false;
    }

    private int Wait(int timeoutMs)
    {
        if (_hasChanged)
        {
            Rebuild();
        }

        for (int i = 0; i < _count; i++)
        {
            _items[i].IsUnsure = _polled[i].IsUnsure;
            _polled[i].IsUnsure = false;
        }

        int news;
        fixed (PollItem* items = _items)
        {
            news = PollCall(items, _count, timeoutMs);
        }

        return news >= 0 || Libc.Errno == Libc.Eintr ? news : throw Libc.Failure("poll", "the loop's descriptors");
    }

    private void Dispatch()
    {
        // Callbacks add and remove; the arrays stay as polled until the next turn, and what was removed meanwhile is passed over.
        for (int i = 0; i < _count; i++)
        {
            PollRegistration registration = _polled[i];
            PollEvents happened = _items[i].Happened & (registration.Events | PollEvents.Error);
            if (happened != PollEvents.None && registration.Events != PollEvents.None && !registration.IsRemoved)
            {
                registration.IsUnsure = true; // Unless the callback knows better.
                registration.Callback(happened);
            }
        }
    }

    private int TimeoutMs(int longestMs)
    {
        long next = LoopTimer.Never;
        foreach (LoopTimer timer in _timers)
        {
            next = Math.Min(next, timer.DueMs);
        }

        if (next == LoopTimer.Never)
        {
            return longestMs;
        }

        int untilNext = (int)Math.Clamp(next - NowMs, 0, int.MaxValue);
        return longestMs < 0 ? untilNext : Math.Min(longestMs, untilNext);
    }

    private void FireTimers()
    {
        if (_timers.Count == 0)
        {
            return;
        }

        long now = NowMs;
        for (int i = 0; i < _timers.Count; i++)
        {
            LoopTimer timer = _timers[i];
            if (timer.DueMs <= now)
            {
                timer.Stop();
                timer.Callback();
            }
        }
    }
}
