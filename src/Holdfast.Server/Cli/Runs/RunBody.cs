using System.Globalization;
using System.Text.Json;
using Holdfast.Server.Cli.Syntax;
using Holdfast.Server.Cli.Verbs;

namespace Holdfast.Server.Cli.Runs;

/// <summary>What <c>holdfast run</c> was asked for, as the REST door takes it.</summary>
internal static class RunBody
{
    public static byte[] Of(CliContext context, Arguments arguments, string path)
    {
        // Everything is read before anything is written, so that a mistake is refused whole.
        SortedDictionary<string, JsonElement> parameters = Parameters(context, arguments);
        string? from = arguments.Has(RunOptions.Resume.Name) ? "failed" : arguments.Text(RunOptions.From.Name);
        string[]? cells = arguments
            .Text(RunOptions.Cells.Name)
            ?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        RequireConsistent(arguments, from, cells);
        return JsonFields.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("path", path);
            if (arguments.Text(RunOptions.Kernel.Name) is { } kernel)
            {
                json.WriteString("kernel", kernel);
            }

            if (cells is not null)
            {
                json.WriteStartArray("cells");
                foreach (string cell in cells)
                {
                    WriteCell(json, cell);
                }

                json.WriteEndArray();
            }

            if (from is not null)
            {
                json.WritePropertyName("from");
                WriteCell(json, from);
            }

            if (parameters.Count > 0)
            {
                json.WriteStartObject("parameters");
                foreach ((string name, JsonElement value) in parameters)
                {
                    json.WritePropertyName(name);
                    value.WriteTo(json);
                }

                json.WriteEndObject();
            }

            if (arguments.Has(RunOptions.KeepGoing.Name))
            {
                json.WriteBoolean("stopOnError", false);
            }

            CallbackSubmitOptions.Write(json, context, arguments);
            json.WriteEndObject();
        });
    }

    private static void RequireConsistent(Arguments arguments, string? from, string[]? cells)
    {
        if (cells is not null && from is not null)
        {
            throw new UsageException(
                $"{RunOptions.Cells.Name} says which cells run, and so do {RunOptions.From.Name} and {RunOptions.Resume.Name}: give one of them."
            );
        }

        if (arguments.Has(RunOptions.Resume.Name) && arguments.Has(RunOptions.From.Name))
        {
            throw new UsageException($"{RunOptions.Resume.Name} is {RunOptions.From.Name} failed: give one of them.");
        }

        if (cells is { Length: 0 } || (cells is not null && cells.Any(IsIndex) && !cells.All(IsIndex)))
        {
            throw new UsageException($"{RunOptions.Cells.Name} takes indices, or cell ids, not both: 0,3,7 or setup,plot.");
        }
    }

    private static bool IsIndex(string cell) => int.TryParse(cell, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static void WriteCell(Utf8JsonWriter json, string cell)
    {
        if (int.TryParse(cell, NumberStyles.None, CultureInfo.InvariantCulture, out int index))
        {
            json.WriteNumberValue(index);
        }
        else
        {
            json.WriteStringValue(cell);
        }
    }

    /// <summary>Those of --parameters, and over them those given one by one.</summary>
    private static SortedDictionary<string, JsonElement> Parameters(CliContext context, Arguments arguments)
    {
        var parameters = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        if (arguments.Text(RunOptions.Parameters.Name) is { } source)
        {
            foreach (JsonProperty parameter in ReadObject(context, source).EnumerateObject())
            {
                parameters[parameter.Name] = parameter.Value;
            }
        }

        foreach (string[] pair in arguments.All(RunOptions.Parameter.Name))
        {
            parameters[pair[0]] = ParameterValue.Infer(pair[1]);
        }

        foreach (string[] pair in arguments.All(RunOptions.TextParameter.Name))
        {
            parameters[pair[0]] = ParameterValue.Text(pair[1]);
        }

        return parameters;
    }

    private static JsonElement ReadObject(CliContext context, string source)
    {
        bool isInline = source.TrimStart().StartsWith('{');
        try
        {
            byte[] json = isInline
                ? System.Text.Encoding.UTF8.GetBytes(source)
                : File.ReadAllBytes(Path.GetFullPath(source, context.CurrentDirectory));
            JsonElement value = JsonFields.Parse(json);
            return value.ValueKind == JsonValueKind.Object
                ? value
                : throw new UsageException($"{RunOptions.Parameters.Name} takes a JSON object, not {value.ValueKind}.");
        }
        catch (JsonException error)
        {
            throw new UsageException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{RunOptions.Parameters.Name}: {(isInline ? "what is given" : source)} is not valid JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}."
                )
            );
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{RunOptions.Parameters.Name}: {error.Message}");
        }
    }
}
