using System.Globalization;
using System.Text;

namespace Holdfast.Server.Rest;

/// <summary>
/// Server-sent events (WHATWG HTML, section 9.2): ids that resume, comments that keep a silent stream alive. A line break of any kind in
/// text data begins another data line, so a carriage return arrives as a line feed; base64 has none.
/// </summary>
internal sealed class EventStream(HttpContext context, CancellationToken stopping)
{
    private static readonly string[] LineBreaks = ["\r\n", "\n", "\r"];

    /// <summary>Where a client that comes back goes on; null when it is new.</summary>
    public static long? LastEventId(HttpContext context)
    {
        string text = context.Request.Headers["Last-Event-ID"].ToString();
        return text.Length == 0 ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long id) ? id
            : throw RestQuery.Invalid("Last-Event-ID", text, "the id of an event of this stream");
    }

    public Task BeginAsync()
    {
        // Cut, not ended: the client comes back with the last id, as after any other break.
        context.Response.RegisterForDispose(stopping.UnsafeRegister(static context => ((HttpContext)context!).Abort(), context));
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        return WriteRawAsync("retry: 1000\n\n");
    }

    public Task WriteAsync(string id, string? name, string data)
    {
        var text = new StringBuilder(data.Length + 64);
        text.Append("id: ").Append(id).Append('\n');
        if (name is not null)
        {
            text.Append("event: ").Append(name).Append('\n');
        }

        foreach (string line in data.Split(LineBreaks, StringSplitOptions.None))
        {
            text.Append("data: ").Append(line).Append('\n');
        }

        return WriteRawAsync(text.Append('\n').ToString());
    }

    /// <summary>Waits for the growth, with a comment now and then so that both ends know the other lives.</summary>
    public async Task WaitAsync(Task growth)
    {
        while (true)
        {
            try
            {
                await growth.WaitAsync(RestLimits.KeepAliveInterval, TimeProvider.System, context.RequestAborted);
                return;
            }
            catch (TimeoutException)
            {
                await WriteRawAsync(": alive\n\n");
            }
        }
    }

    private async Task WriteRawAsync(string text)
    {
        await context.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(text), context.RequestAborted);
    }
}
