using System.Collections.Concurrent;
using Holdfast.Engine;
using Holdfast.Engine.Recovery;
using Holdfast.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Recovery;

/// <summary>How the phases of a start-up run, and what a failure of one means for the others.</summary>
public sealed class PhaseRunnerTests
{
    private readonly ConcurrentQueue<RecoveryPhase> _ended = new();
    private readonly Dictionary<string, Func<CancellationToken, Task<PhaseResult>>> _bodies = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Phases_that_do_not_wait_for_one_another_run_beside_one_another()
    {
        var bothRun = new TaskCompletionSource();
        int running = 0;
        Func<CancellationToken, Task<PhaseResult>> meet = async _ =>
        {
            if (Interlocked.Increment(ref running) == 2)
            {
                bothRun.SetResult();
            }

            await bothRun.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
            return new PhaseResult(1);
        };

        await Runner(new Phase("a"), new Phase("b", "a") { Body = meet }, new Phase("c", "a") { Body = meet }, new Phase("d", "b", "c"))
            .RunAsync(Cancel);

        Assert.Equal("a", _ended.First().Name);
        Assert.Equal("d", _ended.Last().Name);
    }

    [Fact]
    public async Task A_critical_phase_that_fails_refuses_the_start_and_says_how_to_mend_it()
    {
        PhaseRunner runner = Runner(new Phase("a") { IsCritical = true, Body = Fails }, new Phase("b", "a"));

        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => runner.RunAsync(Cancel));

        Assert.Equal(ErrorCodes.RecoveryFailed, refused.Code);
        Assert.Contains("phase 'a'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("no luck today", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Mend a.", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["a"], _ended.Select(static p => p.Name));
    }

    [Fact]
    public async Task Any_other_phase_that_fails_is_noted_and_the_start_goes_on()
    {
        await Runner(new Phase("a") { Body = Fails }, new Phase("b", "a")).RunAsync(Cancel);

        Assert.Equal(["a True", "b False"], _ended.Select(static p => $"{p.Name} {p.HasFailed}"));
        Assert.Contains("no luck today Mend a.", _ended.First().Problem!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_phase_that_acts_on_what_a_failed_one_should_have_found_is_left_out()
    {
        bool hasRun = false;
        var orphans = new Phase("orphans", "supervisors")
        {
            NeedsSuccess = true,
            Body = _ =>
            {
                hasRun = true;
                return Task.FromResult(new PhaseResult(0));
            },
        };
        PhaseRunner runner = Runner(new Phase("supervisors") { Body = Fails }, orphans, new Phase("open", "orphans"));
        await runner.RunAsync(Cancel);

        Assert.False(hasRun);
        Assert.Contains(
            "left out, because the phase 'supervisors' failed",
            _ended.Single(static p => p.Name == "orphans").Problem!,
            StringComparison.Ordinal
        );
        Assert.False(_ended.Single(static p => p.Name == "open").HasFailed);
    }

    [Fact]
    public void A_phase_without_a_body_is_a_mistake_and_so_is_a_body_without_a_phase()
    {
        var plan = new RecoveryPlan([new PhaseDeclaration("a", [], "")]);
        _bodies["b"] = Fails;

        string message = Assert
            .Throws<ArgumentException>(() => new PhaseRunner(plan, _bodies, _ended.Enqueue, new FakeClock(), NullLogger.Instance))
            .Message;

        Assert.Contains("a, b", message, StringComparison.Ordinal);
    }

    private static Task<PhaseResult> Fails(CancellationToken cancellationToken) => throw new IOException("no luck today");

    private PhaseRunner Runner(params Phase[] phases)
    {
        foreach (Phase phase in phases)
        {
            _bodies[phase.Name] = phase.Body;
        }

        var plan = new RecoveryPlan([
            .. phases.Select(static p => new PhaseDeclaration(p.Name, p.After, $"Mend {p.Name}.")
            {
                IsCritical = p.IsCritical,
                NeedsSuccess = p.NeedsSuccess,
            }),
        ]);
        return new PhaseRunner(plan, _bodies, _ended.Enqueue, new FakeClock(), NullLogger.Instance);
    }

    private sealed record Phase(string Name, params string[] After)
    {
        public bool IsCritical { get; init; }
        public bool NeedsSuccess { get; init; }
        public Func<CancellationToken, Task<PhaseResult>> Body { get; init; } = static _ => Task.FromResult(new PhaseResult(0));
    }
}
