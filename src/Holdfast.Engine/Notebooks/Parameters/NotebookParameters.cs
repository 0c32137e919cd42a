using System.Text;
using System.Text.Json;

namespace Holdfast.Engine.Notebooks.Parameters;

/// <summary>
/// Runs one notebook with other values, by papermill's rules: a code cell of assignments, tagged <c>injected-parameters</c>, takes the
/// place of the one that is there, else stands after the first code cell tagged <c>parameters</c> (whose values are the defaults), else at
/// the top.
/// </summary>
public static class NotebookParameters
{
    public const string DefaultsTag = "parameters";
    public const string InjectedTag = "injected-parameters";

    /// <summary>Puts the values into the notebook and returns their cell; null, and the notebook untouched, if there are none.</summary>
    /// <param name="language">As the kernelspec names it, in any case; null if the kernel does not say.</param>
    /// <param name="parameters">In the order in which they are to be assigned; of equal names the last counts.</param>
    public static NotebookCell? Inject(NotebookFile notebook, string? language, IReadOnlyList<KeyValuePair<string, JsonElement>> parameters)
    {
        if (parameters.Count == 0)
        {
            return null;
        }

        string source = Translate(language, parameters);
        if (FirstTagged(notebook, InjectedTag) is { } injected)
        {
            injected.SetSource(source);
            injected.ClearResult();
            return injected;
        }

        int index = FirstTagged(notebook, DefaultsTag) is { } defaults ? defaults.Index + 1 : 0;
        return notebook.InsertCodeCell(index, source, [InjectedTag]);
    }

    /// <summary>
    /// The assignments as source text in a language; refused if the language is unknown, a name is none in it, or a value has no form in
    /// it.
    /// </summary>
    public static string Translate(string? language, IReadOnlyList<KeyValuePair<string, JsonElement>> parameters)
    {
        ParameterLanguage target =
            ParameterLanguage.Find(language)
            ?? throw new RefusedException(
                ErrorCodes.ParametersUnsupported,
                $"Parameters can be given to notebooks in {ParameterLanguage.Known}; this one's language is {language ?? "not known"}. Set the values in the notebook itself."
            );

        Dictionary<string, JsonElement> last = [];
        foreach ((string name, JsonElement value) in parameters)
        {
            last[name] = value;
        }

        StringBuilder source = new();
        _ = source.Append(target.Comment).Append(" Parameters\n");
        foreach ((string name, JsonElement value) in last)
        {
            if (!target.IsName(name))
            {
                throw new RefusedException(
                    ErrorCodes.ParametersInvalid,
                    $"\"{name}\" is not the name of a variable in {target.Name}. Name the parameter as the notebook's own variable is named."
                );
            }

            _ = source.Append(target.Assign(name, Value(target, name, value))).Append('\n');
        }

        return source.ToString();
    }

    /// <summary>
    /// The value of a command-line argument: a JSON number, <c>true</c>, <c>false</c> or <c>null</c> (Python's <c>True</c>, <c>False</c>,
    /// <c>None</c> too, as papermill takes them), else the text itself. <c>007</c> is no JSON number and so stays text.
    /// </summary>
    public static JsonElement ParseArgument(string text)
    {
        string json = text switch
        {
            "True" => "true",
            "False" => "false",
            "None" => "null",
            "true" or "false" or "null" => text,
            _ => IsNumber(text) ? text : Quote(text),
        };
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    private static NotebookCell? FirstTagged(NotebookFile notebook, string tag)
    {
        foreach (NotebookCell cell in notebook.Cells)
        {
            if (cell.IsCode && cell.Tags.Contains(tag))
            {
                return cell;
            }
        }

        return null;
    }

    private static string Value(ParameterLanguage target, string name, JsonElement value)
    {
        try
        {
            return target.Value(value);
        }
        catch (NotSupportedException noForm)
        {
            throw new RefusedException(
                ErrorCodes.ParametersInvalid,
                $"The value of \"{name}\" cannot be written in {target.Name}: {noForm.Message}"
            );
        }
        catch (InvalidOperationException)
        {
            throw new RefusedException(
                ErrorCodes.ParametersInvalid,
                $"The value of \"{name}\" holds half a surrogate pair, which is no character."
            );
        }
    }

    private static bool IsNumber(string text)
    {
        Utf8JsonReader reader = new(Encoding.UTF8.GetBytes(text));
        try
        {
            // A reader passes over white space; a number on the command line has none.
            return text.AsSpan().Trim().Length == text.Length
                && reader.Read()
                && reader.TokenType == JsonTokenType.Number
                && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Quote(string text) => $"\"{JsonEncodedText.Encode(text)}\"";
}
