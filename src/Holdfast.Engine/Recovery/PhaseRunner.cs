using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Recovery;

/// <summary>What a phase found, and what of it could not be put right.</summary>
public readonly record struct PhaseResult(int Found, string? Problem = null);

/// <summary>
/// Runs the phases of a plan, each as soon as those before it are over, and so beside one another where nothing says otherwise. A critical
/// one that fails ends the start with how to mend it; of any other the failure is noted, and the start goes on.
/// </summary>
internal sealed partial class PhaseRunner
{
    private readonly RecoveryPlan _plan;
    private readonly IReadOnlyDictionary<string, Func<CancellationToken, Task<PhaseResult>>> _bodies;
    private readonly Action<RecoveryPhase> _ended;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public PhaseRunner(
        RecoveryPlan plan,
        IReadOnlyDictionary<string, Func<CancellationToken, Task<PhaseResult>>> bodies,
        Action<RecoveryPhase> ended,
        TimeProvider time,
        ILogger logger
    )
    {
        string[] unmatched =
        [
            .. plan.Order.Select(static p => p.Name).Except(bodies.Keys),
            .. bodies.Keys.Except(plan.Order.Select(static p => p.Name)),
        ];
        if (unmatched.Length > 0)
        {
            throw new ArgumentException(
                $"Phases that have a declaration or a body, and not both: {string.Join(", ", unmatched)}.",
                nameof(bodies)
            );
        }

        (_plan, _bodies, _ended, _time, _logger) = (plan, bodies, ended, time, logger);
    }

    /// <summary>Every phase. Refused: recovery-failed, when a critical one failed; what runs beside it comes to its end first.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var running = new Dictionary<string, Task<bool>>(StringComparer.Ordinal);
        foreach (PhaseDeclaration phase in _plan.Order)
        {
            running[phase.Name] = RunInTurnAsync(phase, [.. phase.After.Select(name => running[name])], cancellationToken);
        }

        await Task.WhenAll(running.Values);
    }

    /// <summary>One phase, again or for the first time; the report's line about it.</summary>
    public async Task<RecoveryPhase> RunOneAsync(PhaseDeclaration phase, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        RecoveryPhase line;
        try
        {
            PhaseResult result = await _bodies[phase.Name](cancellationToken);
            line = new RecoveryPhase(phase.Name, Elapsed(start), result.Found, result.Problem);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Whatever it is: this loop owns the start, and one feature's fault must not close the house.
            Log.PhaseFailed(_logger, phase.Name, e);
            line = new RecoveryPhase(phase.Name, Elapsed(start), 0, $"It failed: {e.Message} {phase.Mend}") { HasFailed = true };
        }

        _ended(line);
        return line;
    }

    private async Task<bool> RunInTurnAsync(PhaseDeclaration phase, Task<bool>[] before, CancellationToken cancellationToken)
    {
        bool[] succeeded = await Task.WhenAll(before);
        if (phase.NeedsSuccess && Array.IndexOf(succeeded, false) is >= 0 and var failed)
        {
            _ended(
                new RecoveryPhase(phase.Name, 0, 0, $"It was left out, because the phase '{phase.After[failed]}' failed.")
                {
                    HasFailed = true,
                }
            );
            return false;
        }

        RecoveryPhase line = await RunOneAsync(phase, cancellationToken);
        return !line.HasFailed ? true
            : !phase.IsCritical ? false
            : throw new RefusedException(
                ErrorCodes.RecoveryFailed,
                $"The server does not start, because the phase '{phase.Name}' of its recovery failed. {line.Problem} The work that runs under supervisors is not harmed and goes on."
            );
    }

    private double Elapsed(long start) => _time.GetElapsedTime(start).TotalMilliseconds;

    private static partial class Log
    {
        [LoggerMessage(EventIds.PhaseFailed, LogLevel.Error, "The phase {Phase} of recovery failed.")]
        public static partial void PhaseFailed(ILogger logger, string phase, Exception exception);
    }
}
