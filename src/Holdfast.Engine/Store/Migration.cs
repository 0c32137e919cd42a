using System.Globalization;
using System.Reflection;

namespace Holdfast.Engine.Store;

/// <summary>
/// One numbered step of the schema: <c>Store/Migrations/0001_initial.sql</c>. Once released it is never edited; a later one changes what it
/// made.
/// </summary>
public sealed record Migration(int Number, string Name, string Sql)
{
    private const string ResourcePrefix = "Holdfast.Engine.Store.Migrations.";

    /// <summary>The migrations built into this program, in order.</summary>
    public static IReadOnlyList<Migration> Embedded { get; } = ReadEmbedded(typeof(Migration).Assembly);

    /// <summary>The list in order; throws when it does not count 1, 2, 3 and so on, which is a mistake of the build.</summary>
    internal static IReadOnlyList<Migration> InOrder(IEnumerable<Migration> migrations)
    {
        Migration[] ordered = [.. migrations.OrderBy(migration => migration.Number)];
        for (int i = 0; i < ordered.Length; i++)
        {
            if (ordered[i].Number != i + 1)
            {
                throw new InvalidOperationException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Migrations must be numbered without a gap: {i + 1} was expected where {ordered[i].Number} ('{ordered[i].Name}') stands."
                    )
                );
            }
        }

        return ordered;
    }

    private static IReadOnlyList<Migration> ReadEmbedded(Assembly assembly) =>
        InOrder(
            assembly
                .GetManifestResourceNames()
                .Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal))
                .Select(name => Read(assembly, name))
        );

    private static Migration Read(Assembly assembly, string resource)
    {
        string name = Path.GetFileNameWithoutExtension(resource[ResourcePrefix.Length..]);
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
        return new Migration(
            int.Parse(name.AsSpan(0, name.IndexOf('_', StringComparison.Ordinal)), CultureInfo.InvariantCulture),
            name,
            reader.ReadToEnd()
        );
    }
}
