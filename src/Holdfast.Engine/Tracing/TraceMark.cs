using System.Diagnostics;

namespace Holdfast.Engine.Tracing;

/// <summary>
/// The W3C trace context of whoever asked for an execution, kept at the head of its stored request: so its spans join that trace whenever
/// it ends, under whichever server. It is no part of the request, nor of what an idempotency key is compared by. Only a trace that is
/// recorded leaves its mark.
/// </summary>
public static class TraceMark
{
    private const string Field = "traceparent";
    private const int TraceParentLength = 55;

    /// <summary>The stored request, marked with the trace that is current now, if one is.</summary>
    public static string Mark(string request) =>
        Activity.Current is { Recorded: true, IdFormat: ActivityIdFormat.W3C, Id: { } id }
        && request.StartsWith("{\"", StringComparison.Ordinal)
            ? $"{{\"{Field}\":\"{id}\",{request[1..]}"
            : request;

    /// <summary>The trace context of a stored request; null when it has none.</summary>
    public static string? Read(string request)
    {
        const string Head = "{\"" + Field + "\":\"";
        if (!request.StartsWith(Head, StringComparison.Ordinal) || request.Length < Head.Length + TraceParentLength)
        {
            return null;
        }

        string context = request.Substring(Head.Length, TraceParentLength);
        return ActivityContext.TryParse(context, null, out _) ? context : null;
    }
}
