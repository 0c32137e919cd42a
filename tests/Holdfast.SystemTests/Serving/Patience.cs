namespace Holdfast.SystemTests.Serving;

/// <summary>
/// The one generous limit of these tests, and waiting for what nobody announces: files and processes. Nothing waits so long unless it is
/// broken.
/// </summary>
internal static class Patience
{
    /// <summary>Of one step, on a machine ten times slower than ours with everything else at once.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>How long a server is asked to wait for an end: it answers before its caller gives it up.</summary>
    public static readonly int AskedSeconds = (int)Limit.TotalSeconds - 10;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    /// <summary>Looks until the condition holds; says what was waited for when it never does.</summary>
    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);

    public static Task UntilAsync(Func<Task<bool>> condition, string what) => UntilAsync(condition, () => what);

    /// <param name="what">Asked when it was in vain: it may say how far it got.</param>
    public static async Task UntilAsync(Func<Task<bool>> condition, Func<string> what)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Limit)
            {
                throw new TimeoutException($"Waited {Limit.TotalSeconds} s in vain until {what()}.");
            }

            await Task.Delay(Look, TimeProvider.System);
        }
    }
}
