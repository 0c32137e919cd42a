using Holdfast.Protocol.Link;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Supervision;

/// <summary>
/// Asks every live supervisor now and then whether it answers, so that a hung one (stopped, swapped out, starved) can be told from a dead one. What it finds is
/// shown and never acted on: only a freed lock means dead, and that is noticed at once by the link.
/// </summary>
internal sealed partial class SupervisorCheck : IAsyncDisposable
{
    /// <summary>Often enough for a person to look at; seldom enough that fifty idle kernels cost nothing worth measuring.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly LiveAttempts _attempts;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _loop;

    public SupervisorCheck(LiveAttempts attempts, TimeProvider time, ILogger<SupervisorCheck> logger)
    {
        (_attempts, _time, _logger) = (attempts, time, logger);
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
        using var timer = new PeriodicTimer(Interval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                await Task.WhenAll(_attempts.All.Where(a => a.Link.IsCompletedSuccessfully).Select(AskAsync));
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    private async Task AskAsync(LiveAttempt attempt)
    {
        SupervisorHealth before = attempt.Health;
        try
        {
            SupervisorLink link = await attempt.Link;
            await link.RequestAsync(new LinkMessage { Type = LinkMessageType.Ping }, _stopping.Token).WaitAsync(Patience, _time, _stopping.Token);
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
        [LoggerMessage(EventIds.SupervisorStale, LogLevel.Warning, "The supervisor of attempt {Attempt} does not answer. Its work may go on; it is asked again.")]
        public static partial void Stale(ILogger logger, string attempt);
    }
}
