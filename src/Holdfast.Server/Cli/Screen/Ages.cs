using System.Text.Json;

namespace Holdfast.Server.Cli.Screen;

/// <summary>How long ago something was, and how long it took or is taking, for people.</summary>
internal static class Ages
{
    /// <summary>From its start to its end, or to now; null while it has not started. A run starts when it is made.</summary>
    public static TimeSpan? Duration(JsonElement work, TimeProvider time) =>
        (work.Instant("startedAt") ?? (work.Field("cells") is null ? null : work.Instant("createdAt"))) is { } started
            ? (work.Instant("finishedAt") ?? time.GetUtcNow()) - started
            : null;

    public static string? DurationText(JsonElement work, TimeProvider time) =>
        Duration(work, time) is { } duration ? Durations.Format(duration) : null;

    public static string? SinceText(JsonElement element, string field, TimeProvider time) =>
        element.Instant(field) is { } instant ? Durations.Format(time.GetUtcNow() - instant) : null;
}
