using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;
using Holdfast.Tests.Supervisor.Loop;

namespace Holdfast.Tests.Supervisor.Attempts;

public sealed class DurableStepsTests
{
    private readonly HandClock _clock = new();
    private readonly PollLoop _loop;
    private readonly DurableSteps _steps;
    private readonly List<string> _log = [];
    private bool _isDiskFull;

    public DurableStepsTests()
    {
        _loop = new PollLoop(_clock);
        _steps = new DurableSteps(_loop) { StallChanged = () => _log.Add(_steps!.IsStalled ? "stalled" : "unstalled") };
    }

    [Fact]
    public void With_room_each_step_is_done_at_once()
    {
        _steps.Do(Step("a"));
        _steps.Do(Step("b"));

        Assert.Equal(["a", "b"], _log);
        Assert.True(_steps.IsEmpty);
    }

    [Fact]
    public void A_step_that_fails_is_tried_each_second_and_nothing_overtakes_it()
    {
        _isDiskFull = true;
        _steps.Do(Step("a"));
        _steps.Do(Step("b"));
        Pass(2500);
        Assert.Equal(["stalled"], _log);

        _isDiskFull = false;
        _steps.Do(Step("c"));
        Assert.Equal(["stalled"], _log);
        Pass(1000);

        Assert.Equal(["stalled", "a", "b", "c", "unstalled"], _log);
    }

    [Fact]
    public void A_step_may_add_steps_which_are_done_after_it()
    {
        _steps.Do(() =>
        {
            _steps.Do(Step("inner"));
            _log.Add("outer");
        });

        Assert.Equal(["outer", "inner"], _log);
    }

    [Fact]
    public void What_is_put_first_comes_before_the_step_that_waits()
    {
        _isDiskFull = true;
        _steps.Do(Step("a"));
        _steps.DoFirst(() => _log.Add("first"));
        _isDiskFull = false;
        Pass(1000);

        Assert.Equal(["stalled", "first", "a", "unstalled"], _log);
    }

    [Fact]
    public void A_bug_is_not_taken_for_a_full_disk() =>
        Assert.Throws<InvalidOperationException>(() => _steps.Do(() => throw new InvalidOperationException()));

    private LoopCallback Step(string name) =>
        () =>
        {
            if (_isDiskFull)
            {
                throw new IOException("full");
            }

            _log.Add(name);
        };

    private void Pass(int milliseconds)
    {
        for (int i = 0; i < milliseconds; i += 100)
        {
            _clock.Turn(100);
            _loop.RunOnce(0);
        }
    }
}
