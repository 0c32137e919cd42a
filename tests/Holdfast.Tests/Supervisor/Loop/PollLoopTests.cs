using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Tests.Supervisor.Loop;

public sealed unsafe class PollLoopTests : IDisposable
{
    /// <summary>
    /// A child that another test is starting has every descriptor until it becomes another program, so that a close is not always the last.
    /// </summary>
    private const int HangUpMs = 60_000;

    private readonly HandClock _clock = new();
    private readonly PollLoop _loop;
    private readonly int _read;
    private int _write;

    public PollLoopTests()
    {
        _loop = new PollLoop(_clock);
        int* fds = stackalloc int[2];
        Assert.Equal(0, Libc.Pipe2(fds, Libc.OpenCloseOnExec | Libc.OpenNonBlock));
        (_read, _write) = (fds[0], fds[1]);
    }

    public void Dispose()
    {
        _ = Libc.Close(_read);
        CloseWriter();
    }

    [Fact]
    public void A_readable_descriptor_calls_back_and_a_hang_up_is_told_as_an_error()
    {
        PollEvents happened = PollEvents.None;
        _loop.Add(_read, PollEvents.Readable, events => happened = events);
        _loop.RunOnce(0);
        Assert.Equal(PollEvents.None, happened);

        Write();
        _loop.RunOnce(0);
        Assert.Equal(PollEvents.Readable, happened);

        Read();
        CloseWriter();
        _loop.RunOnce(HangUpMs);
        Assert.Equal(PollEvents.Error, happened);
    }

    [Fact]
    public void What_is_not_asked_for_is_not_told_not_even_a_hang_up()
    {
        int calls = 0;
        PollRegistration registration = _loop.Add(_read, PollEvents.Readable, _ => calls++);
        CloseWriter();
        registration.Events = PollEvents.None;
        _loop.RunOnce(0);
        Assert.Equal(0, calls);

        registration.Events = PollEvents.Readable;
        _loop.RunOnce(HangUpMs);
        Assert.Equal(1, calls);
    }

    [Fact]
    public void What_a_callback_removes_is_not_called_in_the_same_batch()
    {
        int calls = 0;
        PollRegistration? second = null;
        PollRegistration first = _loop.Add(
            _read,
            PollEvents.Readable,
            _ =>
            {
                calls++;
                second!.Remove();
            }
        );
        second = _loop.Add(
            _read,
            PollEvents.Readable,
            _ =>
            {
                calls++;
                first.Remove();
            }
        );
        Write();

        _loop.RunOnce(0);
        _loop.RunOnce(0);

        Assert.Equal(2, calls);
    }

    [Fact]
    public void A_timer_fires_once_when_it_is_due_and_can_be_armed_again_from_its_own_callback()
    {
        int calls = 0;
        LoopTimer? timer = null;
        timer = _loop.AddTimer(() =>
        {
            if (++calls < 3)
            {
                timer!.Start(100);
            }
        });
        timer.Start(100);
        for (int i = 0; i < 10; i++)
        {
            _loop.RunOnce(0);
            _clock.Turn(50);
        }

        Assert.Equal(3, calls);
        Assert.False(timer.IsArmed);
    }

    [Fact]
    public void The_wait_is_no_longer_than_the_next_timer()
    {
        int asked = 0;
        _loop.PollCall = (items, count, timeoutMs) =>
        {
            asked = timeoutMs;
            return 0;
        };
        _loop.RunOnce(Timeout.Infinite);
        Assert.Equal(Timeout.Infinite, asked);

        _loop.AddTimer(() => { }).Start(700);
        _loop.AddTimer(() => { }).Start(300);
        _loop.RunOnce(Timeout.Infinite);
        Assert.Equal(300, asked);
        _loop.RunOnce(20);
        Assert.Equal(20, asked);
    }

    [Fact]
    public void A_socket_that_was_used_is_asked_once_even_when_its_descriptor_is_silent()
    {
        var unsure = new List<bool>();
        PollEvents happens = PollEvents.None;
        _loop.PollCall = (items, count, timeoutMs) =>
        {
            unsure.Add(items[0].IsUnsure);
            items[0].Happened = happens;
            return 1;
        };
        bool isDrained = false;
        PollRegistration registration = null!;
        registration = _loop.AddSocket(77, 5, PollEvents.Readable, _ => registration.IsUnsure = !isDrained);

        _loop.RunOnce(0); // New: it may have had news before.
        _loop.RunOnce(0);
        _loop.NoteUse(78);
        _loop.RunOnce(0);
        _loop.NoteUse(77);
        happens = PollEvents.Readable;
        _loop.RunOnce(0); // And it is read, though not until it had nothing more.
        isDrained = true;
        _loop.RunOnce(0);
        _loop.RunOnce(0);

        Assert.Equal([true, false, false, true, true, false], unsure);
    }

    [Fact]
    public void The_end_of_a_batch_is_told_once()
    {
        int batches = 0;
        _loop.AfterBatch += () => batches++;
        _loop.Add(_read, PollEvents.Readable, _ => Read());
        Write();

        _loop.RunOnce(0);

        Assert.Equal(1, batches);
    }

    [Fact]
    public void What_comes_while_news_is_handled_is_of_the_same_batch_where_that_is_wanted()
    {
        var said = new List<string>();
        _loop.LooksTwice = true;
        _loop.AfterBatch += () => said.Add("told");
        _loop.Add(
            _read,
            PollEvents.Readable,
            _ =>
            {
                Read();
                said.Add("read");
                if (said.Count == 1)
                {
                    Write();
                }
            }
        );
        Write();

        _loop.RunOnce(0);

        Assert.Equal(["read", "read", "told"], said);
    }

    [Fact]
    public void Another_thread_wakes_the_loop()
    {
        bool isWoken = false;
        using var wakeUp = new WakeUp(_loop, () => isWoken = true);
        var thread = new Thread(wakeUp.Signal);
        thread.Start();

        _loop.RunOnce(30_000);

        thread.Join();
        Assert.True(isWoken);
    }

    private void Write()
    {
        byte one = 1;
        Assert.Equal(1, Libc.Write(_write, &one, 1));
    }

    private void Read()
    {
        byte one;
        Assert.Equal(1, Libc.Read(_read, &one, 1));
    }

    private void CloseWriter()
    {
        if (_write >= 0)
        {
            _ = Libc.Close(_write);
            _write = -1;
        }
    }
}
