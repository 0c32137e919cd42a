using System.Text;

namespace Holdfast.Engine.Reactive.Sql;

/// <summary>
/// Writes an SQL cell as the Python that runs it in its kernel: the module of ours once, and then one call with the statement's pieces, the
/// names of its parameters and the name of a variable of the environment. No value and no password is in it, so none is in the journal.
/// </summary>
internal static class SqlCode
{
    private const string Module = "_holdfast_sql";

    private static readonly Lazy<string> ModuleSource = new(static () =>
    {
        using Stream stream = typeof(SqlCode).Assembly.GetManifestResourceStream("Holdfast.Engine.Reactive.Sql.holdfast_sql.py")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    });

    public static string Of(SqlCell cell)
    {
        if (cell.Error is { } error)
        {
            return $"raise SyntaxError({Text(error)})\n"; // It is blocked, and should not come here.
        }

        var code = new StringBuilder();
        code.Append("if ")
            .Append(Text(Module))
            .Append(" not in __import__('sys').modules:\n")
            .Append("    __import__('sys').modules[")
            .Append(Text(Module))
            .Append("] = __import__('types').ModuleType(")
            .Append(Text(Module))
            .Append(")\n")
            .Append("    exec(")
            .Append(Text(ModuleSource.Value))
            .Append(", __import__('sys').modules[")
            .Append(Text(Module))
            .Append("].__dict__)\n");
        if (cell.Target is { } target)
        {
            code.Append(target).Append(" = ");
        }

        code.Append("__import__('sys').modules[")
            .Append(Text(Module))
            .Append("].run(globals(), ")
            .Append(List(cell.Pieces))
            .Append(", ")
            .Append(List(cell.Parameters))
            .Append(", ")
            .Append(List(cell.Reads))
            .Append(", ")
            .Append(Text(cell.Target))
            .Append(", ")
            .Append(Text(cell.DsnVariable))
            .Append(", ")
            .Append(cell.Rows)
            .Append(")\n");
        if (cell.Target is { } shown)
        {
            code.Append(shown).Append('\n');
        }

        return code.ToString();
    }

    private static string List(IReadOnlyList<string> texts) => $"[{string.Join(", ", texts.Select(Text))}]";

    /// <summary>A literal of Python that is these very characters.</summary>
    private static string Text(string? text)
    {
        if (text is null)
        {
            return "None";
        }

        var literal = new StringBuilder("'");
        foreach (char c in text)
        {
            _ = c switch
            {
                '\\' => literal.Append(@"\\"),
                '\'' => literal.Append(@"\'"),
                '\n' => literal.Append(@"\n"),
                '\r' => literal.Append(@"\r"),
                < ' ' => literal.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
                _ => literal.Append(c),
            };
        }

        return literal.Append('\'').ToString();
    }
}
