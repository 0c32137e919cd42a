namespace Holdfast.Engine.Kernels.Life;

/// <summary>
/// How long a kernel has been idle, whoever sets the time of day meanwhile. Activities carry the time of day; how long ago one was is
/// counted from when it was first seen. One that is seen at a look happened since the look before, so that it cannot be further back than
/// that. Times are microseconds since 1970, timestamps the time provider's.
/// </summary>
internal sealed class IdleClock(TimeProvider time)
{
    private readonly record struct Sight(long ActivityAt, TimeSpan IdleThen, long SeenAt, long LookedAt);

    private readonly Dictionary<string, Sight> _sights = [];

    /// <summary>
    /// The activity in terms of the present time of day: <paramref name="now"/> less the time that the kernel has really been idle.
    /// </summary>
    public long ActivityOf(string kernel, long activityAt, long now)
    {
        long looked = time.GetTimestamp();
        TimeSpan idle = TimeSpan.FromMicroseconds(Math.Max(0, now - activityAt));
        if (!_sights.TryGetValue(kernel, out Sight sight))
        {
            sight = new Sight(activityAt, idle, looked, looked); // Of a server before this one, perhaps: only the time of day can say.
        }
        else if (sight.ActivityAt != activityAt)
        {
            TimeSpan most = time.GetElapsedTime(sight.LookedAt, looked);
            sight = new Sight(activityAt, idle < most ? idle : most, looked, looked);
        }

        _sights[kernel] = sight with { LookedAt = looked };
        return now - (long)(sight.IdleThen + time.GetElapsedTime(sight.SeenAt, looked)).TotalMicroseconds;
    }

    public void Keep(IReadOnlySet<string> kernels)
    {
        foreach (string gone in _sights.Keys.Where(kernel => !kernels.Contains(kernel)).ToList())
        {
            _sights.Remove(gone);
        }
    }
}
