using System.Diagnostics;
using System.Text;
using Holdfast.Engine;
using Holdfast.Server.Telemetry;
using Microsoft.Extensions.Logging;

namespace Holdfast.Tests.Telemetry;

public sealed class OtlpJsonTests
{
    private static readonly KeyValuePair<string, string>[] Resource = [new("service.name", "holdfast")];
    private static readonly DateTime At = DateTime.UnixEpoch.AddTicks(12_345_678_901_234_567);

    [Fact]
    public void A_log_record_is_written_as_the_protocol_says()
    {
        var trace = new ActivityContext(
            ActivityTraceId.CreateFromString("0af7651916cd43dd8448eb211c80319c"),
            ActivitySpanId.CreateFromString("b7ad6b7169203331"),
            ActivityTraceFlags.Recorded
        );
        var entry = new LogEntry(
            "A.B",
            LogLevel.Warning,
            new EventId(7),
            "Two of \"x\".",
            [new("Count", 2), new("Rate", 0.5), new("IsSo", true), new("None", null)],
            null,
            At,
            trace
        );

        Assert.Equal(
            $$$"""{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"holdfast"}}]},"scopeLogs":[{"scope":{"name":"A.B","version":"{{{ProductVersion.Current}}}"},"logRecords":[{"timeUnixNano":"1234567890123456700","observedTimeUnixNano":"1234567890123456700","severityNumber":13,"severityText":"WARN","body":{"stringValue":"Two of \u0022x\u0022."},"attributes":[{"key":"event.id","value":{"intValue":"7"}},{"key":"Count","value":{"intValue":"2"}},{"key":"Rate","value":{"doubleValue":0.5}},{"key":"IsSo","value":{"boolValue":true}}],"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}]}]}]}""",
            Encoding.UTF8.GetString(OtlpJson.Logs([entry], Resource))
        );
    }

    [Fact]
    public void A_span_is_written_as_the_protocol_says()
    {
        using var activity = new Activity("job");
        activity.SetParentId(
            ActivityTraceId.CreateFromString("0af7651916cd43dd8448eb211c80319c"),
            ActivitySpanId.CreateFromString("b7ad6b7169203331"),
            ActivityTraceFlags.Recorded
        );
        activity.SetStartTime(At);
        activity.Start();
        activity.SetEndTime(At.AddMilliseconds(1.5));
        activity.SetTag("process.exit.code", 3).SetStatus(ActivityStatusCode.Error, "It failed.");
        activity.Stop();

        Assert.Equal(
            $$$"""{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"holdfast"}}]},"scopeSpans":[{"scope":{"name":"","version":"{{{ProductVersion.Current}}}"},"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"{{{activity.SpanId}}}","parentSpanId":"b7ad6b7169203331","name":"job","kind":1,"startTimeUnixNano":"1234567890123456700","endTimeUnixNano":"1234567890124956700","attributes":[{"key":"process.exit.code","value":{"intValue":"3"}}],"status":{"code":2,"message":"It failed."}}]}]}]}""",
            Encoding.UTF8.GetString(OtlpJson.Traces([activity], Resource))
        );
    }
}
