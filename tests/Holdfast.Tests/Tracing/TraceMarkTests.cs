using System.Diagnostics;
using Holdfast.Engine.Tracing;

namespace Holdfast.Tests.Tracing;

public sealed class TraceMarkTests
{
    [Fact]
    public void A_recorded_trace_is_found_again_and_the_request_is_still_itself()
    {
        using Activity activity = Begin(ActivityTraceFlags.Recorded);
        string marked = TraceMark.Mark("""{"argv":["true"]}""");
        Assert.Equal($$"""{"traceparent":"{{activity.Id}}","argv":["true"]}""", marked);
        Assert.Equal(activity.Id, TraceMark.Read(marked));
    }

    [Fact]
    public void Nothing_is_marked_without_a_trace_that_is_recorded()
    {
        Activity.Current = null;
        Assert.Equal("""{"argv":[]}""", TraceMark.Mark("""{"argv":[]}"""));
        using Activity activity = Begin(ActivityTraceFlags.None);
        Assert.Equal("""{"argv":[]}""", TraceMark.Mark("""{"argv":[]}"""));
    }

    [Theory]
    [InlineData("""{"argv":[]}""")]
    [InlineData("""{"traceparent":"nonsense"}""")]
    [InlineData("""{"traceparent":"00-zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz-zzzzzzzzzzzzzzzz-01","argv":[]}""")]
    [InlineData("")]
    public void What_is_no_mark_is_none(string request) => Assert.Null(TraceMark.Read(request));

    private static Activity Begin(ActivityTraceFlags flags)
    {
        Activity.Current = null;
        var activity = new Activity("asked") { ActivityTraceFlags = flags };
        return activity.SetIdFormat(ActivityIdFormat.W3C).Start();
    }
}
