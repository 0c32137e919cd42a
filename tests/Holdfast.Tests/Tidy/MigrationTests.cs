using System.Globalization;

namespace Holdfast.Tests.Tidy;

/// <summary>Migrations count 1, 2, 3 and so on: a server with two of one number, or a gap, does not start.</summary>
public sealed class MigrationTests
{
    [Fact]
    public void Migrations_are_numbered_without_a_gap_and_each_once()
    {
        int[] numbers =
        [
            .. Repository
                .Files("src/Holdfast.Engine/Store/Migrations", "*.sql", SearchOption.TopDirectoryOnly)
                .Select(static p => int.Parse(Path.GetFileName(p).Split('_')[0], CultureInfo.InvariantCulture))
                .Order(),
        ];
        Assert.Equal(Enumerable.Range(1, numbers.Length), numbers);
    }
}
