using System.Globalization;

namespace Holdfast.Soak;

/// <summary>
/// What a run is asked for: `crash` kills as often as it can, `soak` leaves the house alone for longer and also stops processes for a
/// while.
/// </summary>
internal sealed record SoakOptions(bool IsSoak, TimeSpan Duration, int Seed, bool IsJson)
{
    private const double CrashMinutes = 1;
    private const double SoakMinutes = 10;

    public string Name => IsSoak ? "soak" : "crash";

    /// <summary>Null when they are wrong, which was said then.</summary>
    public static SoakOptions? Parse(string[] arguments)
    {
        bool isSoak = arguments is ["soak", ..];
        double minutes = isSoak ? SoakMinutes : CrashMinutes;
        int seed = new Random().Next(1, 1_000_000);
        bool isJson = false;
        bool isRight = arguments is ["soak" or "crash", ..];
        for (int i = 1; i < arguments.Length && isRight; i++)
        {
            isRight = arguments[i] switch
            {
                "--minutes" => double.TryParse(
                    arguments.ElementAtOrDefault(++i),
                    NumberStyles.Float,
                    CultureInfo.InvariantCulture,
                    out minutes
                ) && minutes is > 0 and < 100_000,
                "--seed" => int.TryParse(arguments.ElementAtOrDefault(++i), NumberStyles.None, CultureInfo.InvariantCulture, out seed),
                "--json" => isJson = true,
                _ => false,
            };
        }

        if (!isRight)
        {
            Console.Error.WriteLine($"usage: ./dev {(isSoak ? "soak" : "crash")} [--minutes N] [--seed S] [--json]");
            return null;
        }

        return new SoakOptions(isSoak, TimeSpan.FromMinutes(minutes), seed, isJson);
    }
}
