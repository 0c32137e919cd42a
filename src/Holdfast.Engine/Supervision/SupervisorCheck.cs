using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Supervision;

/// <summary>
/// Looks at every live supervisor now and then, so that a hung one (stopped, swapped out, starved) can be told from a dead one. One that
/// sleeps is left asleep: what sleeps waits in its loop, and to wake fifty of them only to hear so is what an idle machine should not do.
/// One that does anything else is asked, and each is once in a while, for a lock it might sleep in. What is found is shown and never acted
/// on: only a freed lock means dead, and that is noticed at once by the link.
/// </summary>
internal sealed partial class SupervisorCheck : IAsyncDisposable
{
    /// <summary>Every so many looks a sleeping one is asked too.</summary>
    private static readonly int LooksPerQuestion = (int)(SupervisorLivenessTable.AskInterval / SupervisorLivenessTable.LookInterval);

    private const char Sleeping = 'S';

    private readonly LiveAttempts _attempts;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Func<int, char?> _stateOf;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _loop;

    public SupervisorCheck(LiveAttempts attempts, TimeProvider time, ILogger<SupervisorCheck> logger)
        : this(attempts, time, logger, static pid => ProcessStat.Of(pid)?.State) { }

    /// <param name="stateOf">A process's state as proc(5) says it; null when there is no such process.</param>
    internal SupervisorCheck(LiveAttempts attempts, TimeProvider time, ILogger logger, Func<int, char?> stateOf)
    {
        (_attempts, _time, _logger, _stateOf) = (attempts, time, logger, stateOf);
        _loop = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(SupervisorLivenessTable.LookInterval, _time);
        try
        {
            for (int look = 1; await timer.WaitForNextTickAsync(_stopping.Token); look++)
            {
                bool asksAll = look % LooksPerQuestion == 0;
                await Task.WhenAll(_attempts.All.Where(a => a.Link.IsCompletedSuccessfully).Select(a => LookAsync(a, asksAll)));
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    private async Task LookAsync(LiveAttempt attempt, bool asks)
    {
        SupervisorLink link = await attempt.Link;
        if (asks || attempt.Health == SupervisorHealth.Stale || _stateOf(link.Pid) != Sleeping)
        {
            await AskAsync(attempt, link);
        }
    }

    private async Task AskAsync(LiveAttempt attempt, SupervisorLink link)
    {
        SupervisorHealth before = attempt.Health;
        try
        {
            await link.RequestAsync(new LinkMessage { Type = LinkMessageType.Ping }, _stopping.Token)
                .WaitAsync(SupervisorLivenessTable.AnswerPatience, _time, _stopping.Token);
            attempt.Health = SupervisorHealth.Fresh;
        }
        catch (TimeoutException)
        {
            attempt.Health = SupervisorHealth.Stale;
            if (before == SupervisorHealth.Fresh)
            {
                Log.Stale(_logger, attempt.Id.Value);
            }
        }
        catch (Exception e) when (e is IOException or LinkRefusedException)
        {
            // The link is closing; whoever watches it finds out what that means.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.SupervisorStale,
            LogLevel.Warning,
            "The supervisor of attempt {Attempt} does not answer. Its work may go on; it is asked again."
        )]
        public static partial void Stale(ILogger logger, string attempt);
    }
}
