using System.Globalization;
using System.Text.Json;

namespace Holdfast.Server.Cli.Runs;

/// <summary>
/// The value of <c>-p NAME VALUE</c>, of the kind papermill's command line would make of it (papermill.cli._resolve_type): True, False,
/// None, whole numbers, numbers, else text.
/// </summary>
internal static class ParameterValue
{
    public static JsonElement Infer(string text) =>
        text switch
        {
            "True" or "true" => Parse("true"),
            "False" or "false" => Parse("false"),
            "None" or "null" => Parse("null"),
            _ => TryNumber(text) ?? Text(text),
        };

    public static JsonElement Text(string text) => JsonFields.Parse(JsonFields.Write(json => json.WriteStringValue(text)));

    private static JsonElement? TryNumber(string text)
    {
        if (text.Trim() != text)
        {
            return null;
        }

        // Whole numbers of any size stay as they are written; a leading zero or plus is Python's to read but not JSON's.
        if (
            System.Numerics.BigInteger.TryParse(
                text,
                NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture,
                out System.Numerics.BigInteger whole
            )
        )
        {
            return Parse(whole.ToString(CultureInfo.InvariantCulture));
        }

        return
            double.TryParse(
                text,
                NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
                CultureInfo.InvariantCulture,
                out double number
            ) && double.IsFinite(number)
            ? JsonFields.Parse(JsonFields.Write(json => json.WriteRawValue(Decimal(number))))
            : null;
    }

    // 2.0 stays a float in Python only if it is written as one.
    private static string Decimal(double number)
    {
        string text = number.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny('.', 'E') < 0 ? text + ".0" : text;
    }

    private static JsonElement Parse(string json) => JsonFields.Parse(System.Text.Encoding.UTF8.GetBytes(json));
}
