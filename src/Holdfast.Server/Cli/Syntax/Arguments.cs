using System.Globalization;

namespace Holdfast.Server.Cli.Syntax;

/// <summary>What a verb was given. The typed readers refuse with a sentence that names the option and what it takes.</summary>
public sealed class Arguments
{
    private readonly Dictionary<string, List<string[]>> _given = new(StringComparer.Ordinal);

    /// <summary>What is no option, in order. For a verb that takes a command, that command.</summary>
    public List<string> Operands { get; } = [];

    public bool IsJson => Has(GlobalOptions.Json.Name);

    public bool Has(string option) => _given.ContainsKey(option);

    public string? Text(string option) => _given.TryGetValue(option, out List<string[]>? values) ? values[^1][0] : null;

    /// <summary>Every value of a repeatable option, in order, each as the words it took.</summary>
    public IReadOnlyList<string[]> All(string option) => _given.TryGetValue(option, out List<string[]>? values) ? values : [];

    public long? Integer(string option, long min, long max)
    {
        if (Text(option) is not { } text)
        {
            return null;
        }

        return
            long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            && number >= min
            && number <= max
            ? number
            : throw new UsageException(
                string.Create(CultureInfo.InvariantCulture, $"{option} takes a whole number from {min} to {max}, not '{text}'.")
            );
    }

    public TimeSpan? Duration(string option)
    {
        if (Text(option) is not { } text)
        {
            return null;
        }

        return Screen.Durations.TryParse(text, out TimeSpan duration)
            ? duration
            : throw new UsageException($"{option} takes seconds or a time such as 90, 1.5, 10m or 1h30m, not '{text}'.");
    }

    public string? Choice(string option, params ReadOnlySpan<string> choices)
    {
        if (Text(option) is not { } text)
        {
            return null;
        }

        return choices.Contains(text)
            ? text
            : throw new UsageException($"{option} takes {string.Join(", ", choices.ToArray())}, not '{text}'.");
    }

    /// <summary>A pair from <c>NAME=VALUE</c>; the value is null when there is no equals sign.</summary>
    public static (string Name, string? Value) Pair(string option, string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? text : text[..equals];
        return name.Length > 0
            ? (name, equals < 0 ? null : text[(equals + 1)..])
            : throw new UsageException($"{option} takes NAME=VALUE, not '{text}'.");
    }

    internal void Add(Option option, string[] values)
    {
        if (!_given.TryGetValue(option.Name, out List<string[]>? all))
        {
            _given.Add(option.Name, all = []);
        }
        else if (!option.IsRepeatable && option.ValueCount > 0)
        {
            throw new UsageException($"{option.Name} may be given once.");
        }

        all.Add(values);
    }
}
