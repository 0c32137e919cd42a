using System.Globalization;

namespace Holdfast.Server.Cli.Screen;

/// <summary>Times as people write and read them: <c>1.5</c>, <c>10m</c>, <c>1h30m</c>.</summary>
public static class Durations
{
    private const string Units = "dhms";

    /// <summary>Seconds without a unit, or numbers each with d, h, m, s or ms, the larger units first.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double bare))
        {
            return TryAdd(ref duration, bare, 1);
        }

        int at = 0;
        int lastUnit = -1;
        while (at < text.Length)
        {
            int start = at;
            while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.'))
            {
                at++;
            }

            if (
                !double.TryParse(
                    text.AsSpan(start, at - start),
                    NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture,
                    out double number
                )
                || at == text.Length
            )
            {
                return false;
            }

            bool isMilliseconds = string.CompareOrdinal(text, at, "ms", 0, 2) == 0;
            int unit = isMilliseconds ? Units.Length : Units.IndexOf(text[at], StringComparison.Ordinal);
            if (unit <= lastUnit || !TryAdd(ref duration, number, SecondsOf(unit)))
            {
                return false;
            }

            lastUnit = unit;
            at += isMilliseconds ? 2 : 1;
        }

        return text.Length > 0;
    }

    /// <summary>Short, and never longer than needed to tell: <c>0.4s</c>, <c>12.3s</c>, <c>2m05s</c>, <c>3h12m</c>, <c>4d02h</c>.</summary>
    public static string Format(TimeSpan duration)
    {
        // Rounded first, so that 59.97 s is a minute and not 60.0 s.
        double seconds = Math.Round(Math.Max(0, duration.TotalSeconds), 1);
        if (seconds < 60)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0}s");
        }

        long whole = (long)seconds;
        return whole switch
        {
            < 3600 => string.Create(CultureInfo.InvariantCulture, $"{whole / 60}m{whole % 60:00}s"),
            < 86400 => string.Create(CultureInfo.InvariantCulture, $"{whole / 3600}h{whole / 60 % 60:00}m"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{whole / 86400}d{whole / 3600 % 24:00}h"),
        };
    }

    /// <summary>What took less than a second, in milliseconds: <c>0.4ms</c>, <c>130ms</c>; above that as any other.</summary>
    public static string FormatFine(TimeSpan duration) =>
        duration.TotalMilliseconds switch
        {
            >= 1000 => Format(duration),
            >= 10 => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds:0}ms"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, duration.TotalMilliseconds):0.#}ms"),
        };

    /// <summary>A time that somebody set, without the zeros behind it: <c>90d</c>, <c>1h</c>, <c>30s</c>.</summary>
    public static string FormatRound(TimeSpan duration)
    {
        string text = Format(duration);
        return text.EndsWith(".0s", StringComparison.Ordinal) ? text[..^3] + "s"
            : text.Length > 3 && text[^3..^1] == "00" ? text[..^3]
            : text;
    }

    private static double SecondsOf(int unit) =>
        unit switch
        {
            0 => 86400,
            1 => 3600,
            2 => 60,
            3 => 1,
            _ => 0.001,
        };

    private static bool TryAdd(ref TimeSpan duration, double number, double seconds)
    {
        // A century is more than enough, and far from where a TimeSpan overflows.
        double total = duration.TotalSeconds + (number * seconds);
        if (!(total >= 0 && total < 100.0 * 366 * 86400))
        {
            return false;
        }

        duration = TimeSpan.FromSeconds(total);
        return true;
    }
}
