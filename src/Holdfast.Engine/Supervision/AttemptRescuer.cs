using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Supervision;

/// <summary>
/// Finds out what became of an attempt whose link is gone, and attaches again where its supervisor lives. The same path serves a broken
/// link and a server's start: the folder is the only witness in both.
/// </summary>
public sealed partial class AttemptRescuer(TimeProvider time, ILogger<AttemptRescuer> logger)
{
    private const string NotYetThere = "It holds its lock, and has not yet said that it is there.";
    private static readonly TimeSpan LockRelease = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    /// <summary>What it refuses, or cannot say, is seldom otherwise a second later.</summary>
    private static readonly TimeSpan RefusedRetryDelay = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The verdict. A process that is ending closes its socket a little before its lock, so a held lock is looked at again for a while
    /// before it counts as alive.
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
    /// A new link to a supervisor that lives, after its process was proven the recorded one and its socket answered to the attempt's nonce.
    /// Where its record was damaged since, the socket that spec.json gave it and the nonce, which the store has too, are proof enough. Null
    /// when it could not be had this time; a supervisor that is stopped or starved is tried again, never ended for its silence.
    /// </summary>
    public async Task<SupervisorLink?> ReattachAsync(
        LiveAttempt live,
        Action<Protocol.Link.LinkMessage> onNotice,
        CancellationToken cancellationToken
    )
    {
        TimeSpan delay = RetryDelay;
        string problem = "";
        string? socket = null;
        try
        {
            AttemptVerdict verdict = AttemptVerdict.Of(live.Files.Directory, live.Attempt.BootId);
            SupervisorRecord? recorded =
                verdict is { Fate: AttemptFate.Alive, Supervisor: { } written }
                && written.Process.IsAlive()
                && written.Nonce == live.Attempt.Nonce
                    ? written
                    : null;
            problem = recorded is not null ? "" : ProblemOf(verdict, live.Files);
            socket = recorded?.Socket ?? SocketOf(verdict, live.Files);
            if (socket is not null)
            {
                SupervisorLink link = await SupervisorLink.ConnectAsync(socket, live.Attempt.Nonce, onNotice, time, cancellationToken);
                var answering = new ProcessIdentity(link.Welcome.BootId ?? "", link.Welcome.Pid, link.Welcome.StartTicks);
                if (recorded is null ? answering.IsAlive() : answering == recorded.Process)
                {
                    (live.Health, live.LinkProblem) = (SupervisorHealth.Fresh, null);
                    return link;
                }

                await link.DisposeAsync();
                problem = "Another process than the one that it recorded answers at its socket.";
                delay = RefusedRetryDelay;
            }
        }
        catch (TimeoutException)
        {
            problem = "It holds its lock and does not answer; it may be stopped.";
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or LinkRefusedException)
        {
            delay = e is LinkRefusedException ? RefusedRetryDelay : RetryDelay;
            string why = socket is null || Path.Exists(socket) ? e.Message : Gone(socket);
            problem = problem.Length == 0 ? why : $"{problem} Nor can it be had at its socket: {why}";
        }

        // Said once, not at every try: it may be so for as long as its work runs.
        if (live.LinkProblem != problem && problem != NotYetThere)
        {
            Log.ReattachFailed(logger, live.Id.Value, problem);
        }

        bool isFirst = live.LinkProblem is null;
        (live.Health, live.LinkProblem) = (SupervisorHealth.Stale, problem);
        if (!isFirst) // A server's start does not wait for one that cannot be had.
        {
            await Task.Delay(delay, time, cancellationToken);
        }

        return null;
    }

    /// <summary>A supervisor goes by the places that it was given, those of its journal among them.</summary>
    private static string Gone(string socket) =>
        $"Its socket {socket} is not there. If the data directory was moved while it ran, put a link to it at its old place: the supervisor needs that to go on writing.";

    private static string ProblemOf(AttemptVerdict verdict, AttemptFiles files) =>
        verdict.Supervisor is not null ? "Somebody holds its lock, and its supervisor.json names another process."
        : File.Exists(files.Supervisor) ? "Somebody holds its lock, and its supervisor.json cannot be read."
        : NotYetThere;

    /// <summary>
    /// Where it listens if it is the one that was started for this attempt, whatever became of its record; null while it may just be
    /// starting, or when that cannot be read either.
    /// </summary>
    private static string? SocketOf(AttemptVerdict verdict, AttemptFiles files)
    {
        if (verdict.Fate != AttemptFate.Alive || !Path.Exists(files.Supervisor))
        {
            return null;
        }

        try
        {
            return AttemptSpec.Read(PlainFile.Read(files.Spec, AttemptFiles.RecordBytesMax)).Socket is { Length: > 0 } socket
                ? socket
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or AttemptFormatException)
        {
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.SupervisorReattachFailed,
            LogLevel.Warning,
            "The supervisor of attempt {Attempt} lives and could not be connected to; its work goes on, and it is tried again. {Problem}"
        )]
        public static partial void ReattachFailed(ILogger logger, string attempt, string problem);
    }
}
