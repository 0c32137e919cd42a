using System.Globalization;

namespace Holdfast.Bench;

/// <summary>What `./dev bench` is told.</summary>
internal sealed record BenchOptions
{
    public const int RoundsDefault = 5;

    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>How often each figure is taken. Peers and floors are taken in the same rounds.</summary>
    public int Rounds { get; init; } = RoundsDefault;

    public string? JsonFile { get; init; }

    /// <summary>One small round: shows that it works, and measures nothing.</summary>
    public bool IsSmoke { get; init; }

    /// <summary>The published program; default: where `./dev build` leaves it.</summary>
    public string Program { get; init; } =
        Path.Combine(Environment.GetEnvironmentVariable("PUBLISH") ?? "artifacts/publish", "holdfast", "holdfast");

    /// <summary>Null, and a sentence on standard error, when the arguments say nothing sensible.</summary>
    public static BenchOptions? Parse(string[] args, IEnumerable<string> known)
    {
        var options = new BenchOptions();
        for (int i = 0; i < args.Length; i++)
        {
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            BenchOptions? next = args[i] switch
            {
                "--smoke" => options with { IsSmoke = true, Rounds = 1 },
                "--rounds" when int.TryParse(value, CultureInfo.InvariantCulture, out int rounds) && rounds > 0 => options with
                {
                    Rounds = rounds,
                },
                "--json" when value is not null => options with { JsonFile = value },
                "--program" when value is not null => options with { Program = value },
                string name when known.Contains(name) => options with { Names = [.. options.Names, name] },
                _ => null,
            };
            if (next is null)
            {
                Console.Error.WriteLine(
                    $"bench: '{args[i]}' is no figure, or an option without its value. Figures: {string.Join(' ', known)}. Options: --rounds N, --json FILE, --smoke, --program FILE, --peers."
                );
                return null;
            }

            i += args[i] is "--rounds" or "--json" or "--program" ? 1 : 0;
            options = next;
        }

        return options with
        {
            Program = Path.GetFullPath(options.Program),
        };
    }
}
