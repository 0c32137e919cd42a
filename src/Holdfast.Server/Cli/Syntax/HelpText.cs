using System.Text;

namespace Holdfast.Server.Cli.Syntax;

/// <summary>Writes the help out of the same grammar that the parser reads by.</summary>
public static class HelpText
{
    private const int Columns = 120;
    private const int LeftColumns = 28;
    private const int RightColumn = LeftColumns + 2;

    private const string ExitCodeNote = """
        Exit codes: 0 done; 1 refused, with the reason and its code on standard error; 2 the command line is wrong; 3 no server answers;
        130 Ctrl-C, which ends the waiting and never the work. `wait`, `attach`, `run` and `submit --wait` end with the work's own status.
        """;

    private const string ServerNote = """
        The server is found by --url (with --token or HOLDFAST_TOKEN), by --data, by HOLDFAST_URL and HOLDFAST_TOKEN, or by the data directory:
        HOLDFAST_DATA, else $XDG_STATE_HOME/holdfast, else ~/.local/state/holdfast. `run` and `submit` start one there when there is none.
        """;

    public static string Of(IReadOnlyList<Verb> verbs)
    {
        var text = new StringBuilder("holdfast: run notebooks and jobs that outlive their server\n\nusage: holdfast VERB [options]\n\n");
        foreach (Verb verb in verbs)
        {
            AppendRow(text, verb.Name, verb.Summary);
        }

        return AppendOptions(text.Append("\nEvery verb that speaks to a server takes\n"), GlobalOptions.All)
            .Append('\n')
            .Append(ServerNote)
            .Append("\n\n")
            .Append(ExitCodeNote)
            .Append("\n\n`holdfast VERB --help` says more of each.\n")
            .ToString();
    }

    public static string Of(Verb verb)
    {
        StringBuilder text = new StringBuilder("usage: holdfast ")
            .Append(verb.Usage)
            .Append("\n\n")
            .Append(Sentence(verb.Summary))
            .Append('\n');
        if (verb.Options.Count > 0)
        {
            _ = AppendOptions(text.Append('\n'), verb.Options);
        }

        _ = AppendOptions(text.Append('\n'), verb.Globals);
        return verb.Notes.Length == 0 ? text.ToString() : text.Append('\n').Append(verb.Notes.TrimEnd()).Append('\n').ToString();
    }

    private static string Sentence(string summary) => char.ToUpperInvariant(summary[0]) + summary[1..] + ".";

    private static StringBuilder AppendOptions(StringBuilder text, IReadOnlyList<Option> options)
    {
        foreach (Option option in options)
        {
            string names = option.Short is null ? option.Name : $"{option.Short}, {option.Name}";
            AppendRow(
                text,
                option.Values.Length == 0 ? names : $"{names} {option.Values}",
                option.Summary + (option.IsRepeatable ? " (may be repeated)" : "")
            );
        }

        return text;
    }

    /// <summary>A name and what it means, in two columns; a name that is wider than its column has a line of its own.</summary>
    private static void AppendRow(StringBuilder text, string left, string right)
    {
        text.Append("  ").Append(left.PadRight(LeftColumns));
        int column = left.Length > LeftColumns ? Columns : RightColumn;
        foreach (string word in right.Split(' '))
        {
            if (column + 1 + word.Length > Columns)
            {
                text.Append('\n').Append(' ', RightColumn);
                column = RightColumn;
            }

            text.Append(' ').Append(word);
            column += 1 + word.Length;
        }

        text.Append('\n');
    }
}
