using System.Collections.Concurrent;

namespace Holdfast.Engine.Metrics;

/// <summary>
/// Those who follow a feed or a journal, each with how far it is behind: bytes of a journal, events of the feed. Asked only when somebody
/// looks.
/// </summary>
public sealed class FollowerTally
{
    public const string Journal = "journal";
    public const string Feed = "feed";

    private readonly ConcurrentDictionary<Follower, byte> _all = new();

    /// <summary>Counts until it is disposed. The lag may be asked for on any thread; what it throws counts as none.</summary>
    public IDisposable Enter(string of, Func<long> lag)
    {
        var follower = new Follower(this, of, lag);
        _all[follower] = 0;
        return follower;
    }

    /// <summary>How many follow it, and the lag of the one that is furthest behind.</summary>
    public (int Count, long LagMax) Look(string of)
    {
        int count = 0;
        long lagMax = 0;
        foreach (Follower follower in _all.Keys)
        {
            if (follower.Of == of)
            {
                count++;
                lagMax = Math.Max(lagMax, follower.LagNow());
            }
        }

        return (count, lagMax);
    }

    private sealed class Follower(FollowerTally tally, string of, Func<long> lag) : IDisposable
    {
        public string Of { get; } = of;

        public long LagNow()
        {
            try
            {
                return lag();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
            {
                return 0; // It leaves in this moment.
            }
        }

        public void Dispose() => tally._all.TryRemove(this, out _);
    }
}
