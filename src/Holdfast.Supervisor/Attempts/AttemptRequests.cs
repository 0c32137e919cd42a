using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Supervisor.Link;

namespace Holdfast.Supervisor.Attempts;

/// <summary>
/// The requests that work of every kind takes: each is checked against where the attempt stands, answered, and then done.
/// </summary>
internal static class AttemptRequests
{
    /// <summary>The system's highest (SIGRTMAX).</summary>
    private const int SignalMax = 64;

    /// <summary>False for a request that is none of these.</summary>
    public static bool TryHandle(AttemptWork work, LinkRequest request)
    {
        switch (request.Type)
        {
            case LinkMessageType.Signal:
                Signal(work, request);
                return true;
            case LinkMessageType.Pause:
                Pause(work, request);
                return true;
            case LinkMessageType.Resume:
                Resume(work, request);
                return true;
            case LinkMessageType.Stop:
                Stop(work, request);
                return true;
            default:
                return false;
        }
    }

    private static void Signal(AttemptWork work, LinkRequest request)
    {
        int signal = request.Message.Signal;
        if (signal is < 1 or > SignalMax)
        {
            request.Refuse(LinkCodes.SignalInvalid, $"{signal} is not a signal; they go from 1 to {SignalMax}.");
        }
        else if (!work.TrySignal(signal))
        {
            request.Refuse(LinkCodes.NotRunning, "Nothing runs here that could be signalled.");
        }
        else
        {
            request.Done();
        }
    }

    private static void Pause(AttemptWork work, LinkRequest request)
    {
        if (work.Now != AttemptPhase.Running)
        {
            request.Refuse(LinkCodes.NotRunning, "Nothing runs here that could be paused.");
        }
        else if (work.IsStopping)
        {
            request.Refuse(LinkCodes.NotPausable, "It is being stopped.");
        }
        else
        {
            request.Done();
            work.Pause();
        }
    }

    private static void Resume(AttemptWork work, LinkRequest request)
    {
        if (work.Now != AttemptPhase.Running)
        {
            request.Refuse(LinkCodes.NotRunning, "Nothing runs here that could be resumed.");
            return;
        }

        request.Done();
        work.Resume();
    }

    private static void Stop(AttemptWork work, LinkRequest request)
    {
        if (work.Now is AttemptPhase.Ending or AttemptPhase.Ended)
        {
            request.Refuse(LinkCodes.NotRunning, "Nothing runs here that could be stopped.");
            return;
        }

        request.Done();
        LinkMessage message = request.Message;
        work.Stop(message.Cause ?? ExitCause.Cancelled, message.GraceMs == 0 ? work.GraceMs : Math.Max(0, message.GraceMs));
    }
}
