using System.Globalization;

namespace Holdfast.Engine.Retention;

/// <summary>How much room is left, as far as it matters.</summary>
public enum SpaceState
{
    Enough,

    /// <summary>Somebody is told.</summary>
    Low,

    /// <summary>New work is refused.</summary>
    Last,
}

/// <summary>
/// The marks on a disk of some size, the same for the server and for whoever looks at its disk from outside. On a small disk a share of it
/// counts: one that is smaller than the marks must still be of use.
/// </summary>
public static class SpaceMarks
{
    private const long LowBytes = 1L << 30;
    private const long LastBytes = 256L << 20;
    private const double LowShare = 0.05;
    private const double LastShare = 0.01;

    public static SpaceState Judge(long free, long total) =>
        free < Last(total) ? SpaceState.Last
        : free < Math.Min(LowBytes, total * LowShare) ? SpaceState.Low
        : SpaceState.Enough;

    /// <summary>Below so many bytes new work is refused.</summary>
    public static long Last(long total) => (long)Math.Min(LastBytes, total * LastShare);

    /// <summary>An amount for people, in a unit in which it is not nothing: <c>300 KiB</c>, <c>12 MiB</c>, <c>3.4 GiB</c>.</summary>
    public static string Text(long bytes) =>
        bytes switch
        {
            < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 10} KiB"),
            < 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes >> 20} MiB"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.0} GiB"),
        };
}
