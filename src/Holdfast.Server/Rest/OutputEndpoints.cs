using System.Globalization;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Metrics;
using Holdfast.Protocol.Journal;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>
/// Output by byte range, and followed live. Bytes go from the journal's buffer to the response's, a record at a time: a slow reader costs
/// one buffer, and the journal on disk is its backlog.
/// </summary>
internal static class OutputEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet("/v1/executions/{id}/output", (RequestDelegate)(context => OutputAsync(context, door)));
        routes.MapGet("/v1/executions/{id}/follow", (RequestDelegate)(context => FollowAsync(context, door)));
    }

    private static async Task OutputAsync(HttpContext context, EngineDoor door)
    {
        long offset = RestQuery.Number(context, "offset", 0, long.MaxValue) ?? 0;
        long limit = RestQuery.Number(context, "limit", 0, long.MaxValue) ?? long.MaxValue;
        using OutputReading reading = door.Engine.ReadOutput.Open(RestQuery.ExecutionId(context), RestQuery.Stream(context), offset);
        long available = Math.Max(0, reading.Length - offset);
        long count = Math.Min(available, limit);
        ReadOnlyMemory<byte> bytes = default;
        if (limit > 0 && (count == 0 || !reading.TryRead(out bytes)))
        {
            reading.ThrowIfMissing();
        }

        HttpResponse response = context.Response;
        response.ContentType = "application/octet-stream";
        response.ContentLength = count;
        response.Headers["Holdfast-Offset"] = Number(offset);
        response.Headers["Holdfast-Next-Offset"] = Number(offset + count);
        response.Headers["Holdfast-Complete"] = reading.IsComplete && count == available && !reading.LacksEnd ? "true" : "false";
        while (count > 0 && (bytes.Length > 0 || reading.TryRead(out bytes)))
        {
            ReadOnlyMemory<byte> wanted = bytes.Length <= count ? bytes : bytes[..(int)count];
            await response.BodyWriter.WriteAsync(wanted, context.RequestAborted);
            count -= wanted.Length;
            bytes = default;
        }
    }

    private static async Task FollowAsync(HttpContext context, EngineDoor door)
    {
        ExecutionId id = RestQuery.ExecutionId(context);
        long offset = EventStream.LastEventId(context) ?? RestQuery.Number(context, "offset", 0, long.MaxValue) ?? 0;
        bool isText = RestQuery.Text(context, "encoding") switch
        {
            null or "base64" => false,
            "text" => true,
            { } other => throw RestQuery.Invalid("encoding", other, "base64 or text"),
        };
        OutputStream stream = RestQuery.Stream(context);
        using (OutputReading first = door.Engine.ReadOutput.Open(id, stream, offset))
        {
            // Refused here, while there is still a status to answer with.
            if (first.IsComplete && !first.TryRead(out _))
            {
                first.ThrowIfMissing();
            }
        }

        var events = new EventStream(context, door.Stopping);
        await events.BeginAsync();
        var text = isText ? new Utf8Chunks() : null;
        Execution execution;
        do
        {
            // Each attempt has a journal of its own; one that turned out never to have started said nothing, so the offset holds for the
            // next.
            offset = await FollowAttemptAsync(events, door, id, stream, offset, text);
            execution = await door.Engine.WaitForExecution.RunAsync(id, EndPatience, context.RequestAborted);
        } while (!execution.State.IsSettled());

        if (text?.End() is { Length: > 0 } rest)
        {
            await events.WriteAsync(Number(offset), null, rest);
        }

        ExecutionView end = door.Engine.GetExecution.Run(id);
        await events.WriteAsync(Number(offset), "end", RestText.Of(writer => ExecutionJson.Write(writer, end)));
    }

    /// <summary>Sends what an attempt says until its journal ends, waiting first for it to begin; returns the offset reached.</summary>
    private static async Task<long> FollowAttemptAsync(
        EventStream events,
        EngineDoor door,
        ExecutionId id,
        OutputStream stream,
        long offset,
        Utf8Chunks? text
    )
    {
        using OutputReading reading = await OpenAsync(events, door, id, stream, offset);
        using IDisposable following = door.Engine.Meters.Followers.Enter(FollowerTally.Journal, () => reading.Lag);
        while (true)
        {
            Task growth = reading.Growth;
            bool isLast = reading.IsEnded; // Before reading: what was written before the end is then read below.
            while (reading.TryRead(out ReadOnlyMemory<byte> bytes))
            {
                // The id counts what was sent: the start of a character that waits for its end is read again by who resumes here.
                string data = text is null ? Convert.ToBase64String(bytes.Span) : text.Take(bytes.Span);
                if (data.Length > 0)
                {
                    await events.WriteAsync(Number(reading.Offset - (text?.HeldBytes ?? 0)), null, data);
                }
            }

            if (isLast)
            {
                reading.ThrowIfMissing(); // Breaks off: whoever comes back to this offset is told why.
                return reading.Offset;
            }

            await events.WaitAsync(growth);
        }
    }

    private static async Task<OutputReading> OpenAsync(
        EventStream events,
        EngineDoor door,
        ExecutionId id,
        OutputStream stream,
        long offset
    )
    {
        while (true)
        {
            Task growth = door.Engine.Feed.Growth;
            OutputReading reading = door.Engine.ReadOutput.Open(id, stream, offset);
            if (!reading.IsPending)
            {
                return reading;
            }

            reading.Dispose();
            await events.WaitAsync(growth);
        }
    }

    /// <summary>The journal's end is read a moment before the outcome is stored.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
