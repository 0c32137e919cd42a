using System.Globalization;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Screen;

/// <summary>Amounts of memory as people write them: bytes, or a number with K, M, G or T, which count in 1024.</summary>
internal static class Sizes
{
    private const string Letters = "KMGT";

    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        text = text.Trim().ToUpperInvariant();
        text =
            text.EndsWith("IB", StringComparison.Ordinal) ? text[..^2]
            : text.EndsWith('B') ? text[..^1]
            : text;
        int power = text.Length > 0 ? Letters.IndexOf(text[^1], StringComparison.Ordinal) + 1 : 0;
        if (
            !double.TryParse(power > 0 ? text[..^1] : text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
        )
        {
            return false;
        }

        double exact = number * Math.Pow(1024, power);
        bytes = exact is >= 1 and < long.MaxValue ? (long)exact : 0;
        return bytes > 0;
    }

    public static long? Read(Arguments arguments, string option) =>
        arguments.Text(option) is not { } text ? null
        : TryParse(text, out long bytes) ? bytes
        : throw new UsageException($"{option} takes a size such as 500M or 2G, not '{text}'.");

    public static string Format(long bytes)
    {
        double number = bytes;
        int power = 0;
        for (; number >= 1024 && power < Letters.Length; power++)
        {
            number /= 1024;
        }

        return power == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes} B")
            : string.Create(CultureInfo.InvariantCulture, $"{number:0.#}{Letters[power - 1]}");
    }
}
