using System.Text.RegularExpressions;

namespace Holdfast.Engine.Reactive.Conversion;

/// <summary>Makes names that the notebook does not have: nowhere in its texts, comments and strings included.</summary>
internal sealed partial class FreshNames
{
    private readonly HashSet<string> _taken;

    public FreshNames(IEnumerable<string> sources) =>
        _taken = sources.SelectMany(static s => Word().Matches(s).Select(static m => m.Value)).ToHashSet(StringComparer.Ordinal);

    /// <summary><c>df_1</c>, <c>df_2</c>, ...</summary>
    public string Version(string name)
    {
        int number = 1;
        while (!_taken.Add($"{name}_{number}"))
        {
            number++;
        }

        return $"{name}_{number}";
    }

    /// <summary><c>_name</c>, which stays within its cell. IPython has names of its own of this form.</summary>
    public string Private(string name)
    {
        string own = IpythonName().IsMatch($"_{name}") ? $"_{name}_" : $"_{name}";
        return _taken.Add(own) ? own : Version(own);
    }

    [GeneratedRegex(@"[^\W\d]\w*")]
    private static partial Regex Word();

    [GeneratedRegex(@"^_+(i{0,3}|[id]h|oh|i?\d+|exit_code)$")]
    private static partial Regex IpythonName();
}
