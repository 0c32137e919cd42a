namespace Holdfast.Engine.Kernels.Life;

/// <summary>What is known of one kernel when it is looked at. Times are microseconds since 1970.</summary>
public readonly record struct Idleness(long LastActivityAt, bool IsBusy, int Connections);

/// <summary>To be ended now, or looked at again at a moment; neither when only a client's going can change the answer.</summary>
public readonly record struct CullVerdict(bool IsCulled, long? LookAgainAt);

/// <summary>Whether an idle kernel is to be ended. Pure.</summary>
public static class CullRule
{
    public static CullVerdict Judge(Idleness kernel, TimeSpan timeout, CullOptions options, long now)
    {
        long timeoutMicroseconds = timeout.Ticks / TimeSpan.TicksPerMicrosecond;
        if (kernel.IsBusy && !options.IncludesBusy)
        {
            // Whenever it becomes idle, that is an activity: it cannot be due before this.
            return new CullVerdict(false, now + timeoutMicroseconds);
        }

        long due = kernel.LastActivityAt + timeoutMicroseconds;
        if (due > now)
        {
            return new CullVerdict(false, due);
        }

        return kernel.Connections > 0 && !options.IncludesConnected ? new CullVerdict(false, null) : new CullVerdict(true, null);
    }
}
