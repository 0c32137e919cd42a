using System.Globalization;
using System.Text.RegularExpressions;

namespace Holdfast.Engine.Contents;

/// <summary>Names that the server chooses, numbered as Jupyter numbers them.</summary>
internal static partial class FileNames
{
    /// <summary>
    /// The first of name, name1, name2, … that is free. The number stands before the first dot; in a notebook's name before the last.
    /// </summary>
    /// <param name="insert">What comes before the number: <c>-Copy</c>, a space, or nothing.</param>
    public static string Free(string name, string insert, Func<string, bool> isTaken)
    {
        int dot = name.EndsWith(".ipynb", StringComparison.Ordinal) ? name.LastIndexOf('.') : name.IndexOf('.', StringComparison.Ordinal);
        (string stem, string rest) = dot < 0 ? (name, "") : (name[..dot], name[dot..]);
        string candidate = name;
        for (int number = 1; isTaken(candidate); number++)
        {
            candidate = string.Create(CultureInfo.InvariantCulture, $"{stem}{insert}{number}{rest}");
        }

        return candidate;
    }

    /// <summary>A copy of a copy is named after the first.</summary>
    public static string WithoutCopy(string name) => CopyMark().Replace(name, ".");

    /// <summary>Where a file's checkpoint lies, in the folder of the file.</summary>
    public static string OfCheckpoint(string name)
    {
        string extension = Path.GetExtension(name);
        return $"{name[..^extension.Length]}-checkpoint{extension}";
    }

    [GeneratedRegex(@"-Copy\d*\.")]
    private static partial Regex CopyMark();
}
