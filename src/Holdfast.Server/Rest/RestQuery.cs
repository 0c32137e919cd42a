using System.Globalization;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Protocol.Journal;

namespace Holdfast.Server.Rest;

/// <summary>
/// Reads query parameters, naming the one that is wrong and what it may be. Unknown ones are ignored, as caches add their own.
/// </summary>
internal static class RestQuery
{
    public static string? Text(HttpContext context, string name) =>
        context.Request.Query.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } text ? text : null;

    public static long? Number(HttpContext context, string name, long min, long max)
    {
        if (Text(context, name) is not { } text)
        {
            return null;
        }

        return
            long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            && number >= min
            && number <= max
            ? number
            : throw Invalid(name, text, $"a whole number from {min} to {max}");
    }

    public static bool Flag(HttpContext context, string name) =>
        Text(context, name) switch
        {
            null or "false" or "0" => false,
            "true" or "1" => true,
            { } text => throw Invalid(name, text, "true or false"),
        };

    public static TimeSpan? Seconds(HttpContext context, string name)
    {
        if (Text(context, name) is not { } text)
        {
            return null;
        }

        return
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds)
            && seconds is >= 0 and <= RestLimits.WaitSecondsMax
            ? TimeSpan.FromSeconds(seconds)
            : throw Invalid(name, text, $"seconds from 0 to {RestLimits.WaitSecondsMax}");
    }

    public static OutputStream Stream(HttpContext context) =>
        Text(context, "stream") switch
        {
            null or "all" => OutputStream.All,
            "stdout" => OutputStream.Stdout,
            "stderr" => OutputStream.Stderr,
            { } text => throw Invalid("stream", text, "stdout, stderr or all"),
        };

    public static ExecutionId ExecutionId(HttpContext context) =>
        Engine.Executions.ExecutionId.Parse((string)context.Request.RouteValues["id"]!);

    public static RefusedException Invalid(string name, string value, string allowed) =>
        new(ErrorCodes.InvalidRequest, $"The query parameter {name} is '{value}'; it must be {allowed}.");
}
