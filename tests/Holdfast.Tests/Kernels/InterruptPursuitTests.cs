using Holdfast.Supervisor.Kernels;
using Holdfast.Supervisor.Loop;
using Holdfast.Tests.Supervisor.Loop;

namespace Holdfast.Tests.Kernels;

public sealed class InterruptPursuitTests
{
    private readonly HandClock _clock = new();
    private readonly PollLoop _loop;
    private readonly InterruptPursuit _pursuit;
    private int _given;

    public InterruptPursuitTests()
    {
        _loop = new PollLoop(_clock);
        _pursuit = new InterruptPursuit(_loop, () => _given++);
    }

    [Fact]
    public void It_waits_for_the_code_and_is_given_again_with_growing_gaps_and_three_times_at_most()
    {
        Assert.False(_pursuit.Begin("cell"u8, _loop.NowMs));
        Assert.Equal(0, After(200));
        _pursuit.NoteInput("another"u8);
        Assert.Equal(0, After(100));
        _pursuit.NoteInput("cell"u8);

        Assert.Equal([0, 1, 1, 2, 2, 3, 3, 4, 4], new[] { 90, 10, 290, 10, 990, 10, 2990, 10, 100_000 }.Select(After));
    }

    [Fact]
    public void A_kernel_that_does_not_say_when_it_runs_is_given_half_a_second()
    {
        Assert.False(_pursuit.Begin("cell"u8, _loop.NowMs));

        Assert.Equal([0, 1], new[] { InterruptPursuit.FreshMs - 1, 1 }.Select(After));
    }

    [Fact]
    public void The_end_of_its_request_ends_it_and_the_end_of_another_does_not()
    {
        Assert.False(_pursuit.Begin("cell"u8, _loop.NowMs));
        _pursuit.NoteEnd("other"u8);
        Assert.Equal(1, After(InterruptPursuit.FreshMs));

        _pursuit.NoteEnd("cell"u8);
        Assert.Equal(1, After(100_000));
    }

    [Fact]
    public void What_has_run_for_a_while_is_interrupted_at_once_and_once()
    {
        long since = _loop.NowMs;
        After(InterruptPursuit.FreshMs);

        Assert.True(_pursuit.Begin("cell"u8, since));
        Assert.Equal(0, After(100_000));
    }

    private int After(int milliseconds)
    {
        _clock.Turn(milliseconds);
        _loop.RunOnce(0);
        return _given;
    }
}
