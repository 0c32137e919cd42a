using System.Text.Json;

namespace Holdfast.Bench.Report;

/// <summary>Writes a report as JSON, every round's value included, so that two runs can be compared by a program.</summary>
internal static class ReportJson
{
    public static void Write(string path, BenchReport report, IEnumerable<(string Name, string Value)> machine)
    {
        using FileStream file = File.Create(path);
        using var writer = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true });
        writer.WriteStartObject();
        writer.WriteStartObject("machine");
        foreach ((string name, string value) in machine)
        {
            writer.WriteString(name, value);
        }

        writer.WriteEndObject();
        writer.WriteStartArray("figures");
        foreach ((string bench, Figure figure) in report.Figures)
        {
            Write(writer, bench, figure);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string bench, Figure figure)
    {
        writer.WriteStartObject();
        writer.WriteString("bench", bench);
        writer.WriteString("figure", figure.Name);
        writer.WriteString("unit", figure.Unit);
        writer.WriteNumber("median", Summary.Of(figure.Values).Median);
        Write(writer, "values", figure.Values);
        if (figure.AgainstValues.Count > 0)
        {
            writer.WriteString("against", figure.Against);
            Write(writer, "againstValues", figure.AgainstValues);
            writer.WriteNumber("ratio", Summary.Of(figure.Ratios).Median);
        }

        if (figure.Goal is { } goal)
        {
            writer.WriteString("goal", goal.Text(figure.Unit));
            writer.WritePropertyName("reached");
            if (figure.IsReached is { } isReached)
            {
                writer.WriteBooleanValue(isReached);
            }
            else
            {
                writer.WriteNullValue();
            }
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, IReadOnlyList<double> values)
    {
        writer.WriteStartArray(name);
        foreach (double value in values)
        {
            writer.WriteNumberValue(value);
        }

        writer.WriteEndArray();
    }
}
