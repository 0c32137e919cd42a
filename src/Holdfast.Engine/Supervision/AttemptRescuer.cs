using Holdfast.Protocol.Processes;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Supervision;

/// <summary>
/// Finds out what became of an attempt whose link is gone, and attaches again where its supervisor lives. The same path serves a broken link and a
/// server's start: the folder is the only witness in both.
/// </summary>
public sealed partial class AttemptRescuer(TimeProvider time, ILogger<AttemptRescuer> logger)
{
    private static readonly TimeSpan LockRelease = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The verdict. A process that is ending closes its socket a little before its lock, so a held lock is looked at again for a while before it counts as alive.
    /// </summary>
    public async Task<AttemptVerdict> JudgeAsync(LiveAttempt live, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        TimeSpan pause = FirstLook;
        AttemptVerdict verdict = AttemptVerdict.Of(live.Files.Directory, live.Attempt.BootId);
        while (verdict.Fate == AttemptFate.Alive && time.GetElapsedTime(start) < LockRelease)
        {
            await Task.Delay(pause, time, cancellationToken);
            pause *= 2;
            verdict = AttemptVerdict.Of(live.Files.Directory, live.Attempt.BootId);
        }

        return verdict;
    }

    /// <summary>
    /// A new link to a supervisor that lives, after its process was proven the recorded one and its socket answered to the attempt's nonce. Null when it
    /// could not be had this time; a supervisor that is stopped or starved is tried again, never ended for its silence.
    /// </summary>
    public async Task<SupervisorLink?> ReattachAsync(LiveAttempt live, Action<Protocol.Link.LinkMessage> onNotice, CancellationToken cancellationToken)
    {
        try
        {
            AttemptVerdict verdict = AttemptVerdict.Of(live.Files.Directory, live.Attempt.BootId);
            if (verdict is { Fate: AttemptFate.Alive, Supervisor: { } recorded } && recorded.Process.IsAlive() && recorded.Nonce == live.Attempt.Nonce)
            {
                SupervisorLink link = await SupervisorLink.ConnectAsync(recorded.Socket, recorded.Nonce, onNotice, time, cancellationToken);
                if (link.Welcome.Pid == recorded.Process.Pid && link.Welcome.StartTicks == recorded.Process.StartTicks &&
                    link.Welcome.BootId == ProcessIdentity.BootIdNow)
                {
                    live.Health = SupervisorHealth.Fresh;
                    return link;
                }

                await link.DisposeAsync();
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or System.Net.Sockets.SocketException or LinkRefusedException)
        {
            Log.ReattachFailed(logger, live.Id.Value, e);
        }

        live.Health = SupervisorHealth.Stale;
        await Task.Delay(RetryDelay, time, cancellationToken);
        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.SupervisorReattachFailed, LogLevel.Warning, "The supervisor of attempt {Attempt} lives but did not answer; it is tried again.")]
        public static partial void ReattachFailed(ILogger logger, string attempt, Exception exception);
    }
}
