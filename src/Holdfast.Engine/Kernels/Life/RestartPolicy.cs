using System.Globalization;

namespace Holdfast.Engine.Kernels.Life;

/// <summary>What is done about a death: started again after a delay, or given up with a sentence that says why.</summary>
public readonly record struct RestartDecision(TimeSpan? Delay, string? Reason)
{
    public bool IsRestart => Delay is not null;
}

/// <summary>
/// When a kernel that died by itself is started again. Pure. The first death within the window is answered at once, each further one after
/// twice as long as the one before; one death too many opens the circuit breaker, since a kernel that dies at its start would be started
/// for ever.
/// </summary>
public sealed record RestartPolicy
{
    /// <summary>
    /// How many restarts one window may see. Default 4, so that the fifth death is the last, as Jupyter's restarter has it. 0: never.
    /// </summary>
    public int RestartsMax { get; init; } = 4;

    /// <summary>
    /// Deaths further back are forgotten. Default 5 minutes: long enough for the slowest kernel to come up and die four times.
    /// </summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Before the second restart. Default 1 second.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Default 30 seconds: a person who waits for a kernel looks away after that.</summary>
    public TimeSpan DelayMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <param name="deaths">The kernel's deaths within the window, oldest first, the one to be answered last.</param>
    public RestartDecision Decide(IReadOnlyList<KernelDeath> deaths)
    {
        KernelDeath latest = deaths[^1];
        if (RestartsMax == 0)
        {
            return new RestartDecision(null, latest.Reason);
        }

        return deaths.Count > RestartsMax
            ? new RestartDecision(null, GivenUp(deaths))
            : new RestartDecision(DelayBefore(deaths.Count), latest.Reason);
    }

    /// <summary>Before the nth restart within a window, counted from 1.</summary>
    internal TimeSpan DelayBefore(int restart)
    {
        if (restart <= 1)
        {
            return TimeSpan.Zero;
        }

        // In seconds, where a power too many is infinite and not an error.
        double seconds = FirstDelay.TotalSeconds * Math.Pow(2, restart - 2);
        return seconds < DelayMax.TotalSeconds ? TimeSpan.FromSeconds(seconds) : DelayMax;
    }

    private string GivenUp(IReadOnlyList<KernelDeath> deaths)
    {
        string causes = string.Join(
            " ",
            deaths
                .Reverse()
                .CountBy(static d => d.Reason)
                .Select(static c => c.Value == 1 ? c.Key : string.Create(CultureInfo.InvariantCulture, $"{c.Key} ({c.Value} times)"))
        );
        return string.Create(
            CultureInfo.InvariantCulture,
            $"It died {deaths.Count} times within {Window.TotalMinutes:0.#} minutes and is not started again. {causes}"
        );
    }
}
