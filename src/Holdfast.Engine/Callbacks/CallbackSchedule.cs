using System.Globalization;
using System.Text.Json;

namespace Holdfast.Engine.Callbacks;

/// <summary>
/// How long to wait after each failed attempt; after the last one there is no other. The first attempt is always at once.
/// </summary>
public sealed class CallbackSchedule
{
    /// <summary>So much of a delay is added by chance, so that those who failed together do not come back together.</summary>
    public const double Jitter = 0.1;

    /// <summary>Over three days and more, as Standard Webhooks suggests: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.</summary>
    public static readonly CallbackSchedule Days = new([5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);

    /// <summary>30 s, 2 min, 10 min.</summary>
    public static readonly CallbackSchedule Minutes = new([30, 120, 600]);

    /// <summary>One attempt and no other.</summary>
    public static readonly CallbackSchedule Once = new([]);

    private static readonly Dictionary<string, CallbackSchedule> Presets = new()
    {
        ["days"] = Days,
        ["minutes"] = Minutes,
        ["once"] = Once,
    };

    private readonly double[] _seconds;

    public CallbackSchedule(double[] seconds) => _seconds = seconds;

    public IReadOnlyList<double> Seconds => _seconds;

    /// <summary>What was asked for; the days when nothing was. Refused: invalid-request.</summary>
    public static CallbackSchedule Parse(JsonElement? asked)
    {
        switch (asked)
        {
            case null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined }:
                return Days;
            case { ValueKind: JsonValueKind.String } name when Presets.TryGetValue(name.GetString()!, out CallbackSchedule? preset):
                return preset;
            case { ValueKind: JsonValueKind.Array } list
                when list.GetArrayLength() <= CallbackLimits.ScheduleEntriesMax
                    && list.EnumerateArray()
                        .All(static s =>
                            s.ValueKind == JsonValueKind.Number && s.GetDouble() is >= 0 and <= CallbackLimits.DelaySecondsMax
                        ):
                return new CallbackSchedule([.. list.EnumerateArray().Select(static s => s.GetDouble())]);
            default:
                throw new RefusedException(
                    ErrorCodes.InvalidRequest,
                    $"callback.schedule must be one of {string.Join(", ", Presets.Keys)}, or a list of at most {CallbackLimits.ScheduleEntriesMax} delays in seconds, each from 0 to {CallbackLimits.DelaySecondsMax}."
                );
        }
    }

    /// <summary>As the store keeps it: a JSON list.</summary>
    public static CallbackSchedule FromText(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        return new CallbackSchedule([.. document.RootElement.EnumerateArray().Select(static s => s.GetDouble())]);
    }

    /// <summary>The delay after so many failures before this one; null when that was the last attempt.</summary>
    public TimeSpan? DelayAfter(int failures, double fraction) =>
        failures < _seconds.Length ? TimeSpan.FromSeconds(_seconds[failures] * (1 + (Jitter * fraction))) : null;

    public override string ToString() =>
        $"[{string.Join(',', _seconds.Select(static s => s.ToString("R", CultureInfo.InvariantCulture)))}]";
}
