namespace Holdfast.Server.Cli.Syntax;

/// <summary>
/// Reads the words of a command line by a verb's grammar: <c>--name value</c>, <c>--name=value</c>, <c>-n value</c>, options among
/// operands, and <c>--</c> after which everything is an operand. An option that takes a value takes the next word whatever it looks like,
/// so that a value may be negative.
/// </summary>
public static class ArgumentParser
{
    /// <summary>Reads the global options that stand before the verb into the arguments; returns where the verb stands.</summary>
    public static int ReadGlobal(IReadOnlyList<string> words, Arguments into)
    {
        int at = 0;
        while (at < words.Count && words[at].StartsWith('-') && words[at] != "--")
        {
            ReadOption(words, ref at, GlobalOptions.All, "holdfast", into);
        }

        return at;
    }

    public static void Read(Verb verb, IReadOnlyList<string> words, int at, Arguments into)
    {
        Option[] options = [.. verb.Options, .. verb.Globals];
        while (at < words.Count)
        {
            string word = words[at];
            if (word == "--")
            {
                AddRest(words, at + 1, into);
                break;
            }

            if (word.Length > 1 && word[0] == '-')
            {
                ReadOption(words, ref at, options, $"holdfast {verb.Name}", into);
                continue;
            }

            if (verb.TakesCommand)
            {
                AddRest(words, at, into);
                break;
            }

            into.Operands.Add(word);
            at++;
        }

        if (!into.Has(GlobalOptions.Help.Name))
        {
            RequireOperands(verb, into.Operands.Count);
        }
    }

    private static void RequireOperands(Verb verb, int count)
    {
        if (count < verb.Operands.Min || count > (verb.Operands.Max ?? int.MaxValue))
        {
            throw new UsageException(
                $"{(count < verb.Operands.Min ? "Something is missing" : "There is a word too many")}: holdfast {verb.Usage}"
            );
        }
    }

    private static void AddRest(IReadOnlyList<string> words, int at, Arguments into)
    {
        for (; at < words.Count; at++)
        {
            into.Operands.Add(words[at]);
        }
    }

    private static void ReadOption(IReadOnlyList<string> words, ref int at, Option[] options, string where, Arguments into)
    {
        string word = words[at];
        int equals = word.StartsWith("--", StringComparison.Ordinal) ? word.IndexOf('=', StringComparison.Ordinal) : -1;
        string name = equals < 0 ? word : word[..equals];
        Option option = Array.Find(options, o => o.Name == name || o.Short == name) ?? throw Unknown(name, options, where);
        at++;
        if (equals >= 0)
        {
            into.Add(
                option,
                option.ValueCount == 1
                    ? [word[(equals + 1)..]]
                    : throw new UsageException($"{option.Name} takes {Expected(option)}, not one after an equals sign.")
            );
            return;
        }

        var values = new string[option.ValueCount];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = at < words.Count ? words[at++] : throw new UsageException($"{option.Name} takes {Expected(option)}.");
        }

        into.Add(option, values);
    }

    private static string Expected(Option option) => option.ValueCount == 0 ? "no value" : option.Values;

    private static UsageException Unknown(string name, Option[] options, string where)
    {
        string? near = Spelling.Nearest(name, options.Select(o => o.Name));
        return new UsageException($"There is no option {name} of {where}{(near is null ? "" : $"; perhaps {near}")}.");
    }
}
