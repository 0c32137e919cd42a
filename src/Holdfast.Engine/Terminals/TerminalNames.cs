using System.Globalization;

namespace Holdfast.Engine.Terminals;

/// <summary>Names of terminals: letters, digits and underscores, as they stand in addresses; by themselves 1, 2, 3 and so on.</summary>
internal static class TerminalNames
{
    private const int LengthMax = 64;

    public static bool IsValid(string name) =>
        name.Length is > 0 and <= LengthMax && name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>The smallest number that none of them has.</summary>
    public static string NextFree(IEnumerable<string?> taken)
    {
        var names = new HashSet<string?>(taken, StringComparer.Ordinal);
        int number = 1;
        while (names.Contains(Text(number)))
        {
            number++;
        }

        return Text(number);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
