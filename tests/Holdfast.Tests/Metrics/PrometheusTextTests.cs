using System.Diagnostics.Metrics;
using Holdfast.Server.Metrics;

namespace Holdfast.Tests.Metrics;

public sealed class PrometheusTextTests : IDisposable
{
    private readonly Meter _meter = new("A test's own");
    private readonly MeterReader _reader;

    public PrometheusTextTests() => _reader = new MeterReader(meter => ReferenceEquals(meter, _meter));

    public void Dispose()
    {
        _reader.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public void Every_kind_is_written_by_name_with_its_help_its_type_and_its_labels()
    {
        Counter<long> counter = _meter.CreateCounter<long>("things.made", "{thing}", "Things \\ made\nhere.");
        counter.Add(2, new KeyValuePair<string, object?>("who", "a \"b\"\\\n"));
        counter.Add(1, new KeyValuePair<string, object?>("who", "c"));
        counter.Add(3, new KeyValuePair<string, object?>("who", "c"));
        Histogram<double> histogram = _meter.CreateHistogram(
            "doing.duration",
            "s",
            "Of one.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] }
        );
        histogram.Record(0.1);
        histogram.Record(0.5);
        histogram.Record(7);
        _ = _meter.CreateObservableGauge("room", () => 1.5, "By", "Room.");
        _ = _meter.CreateObservableCounter("used", () => 42L, "s", "Used.");

        Assert.Equal(
            """
            # HELP doing_duration_seconds Of one.
            # TYPE doing_duration_seconds histogram
            doing_duration_seconds_bucket{le="0.1"} 1
            doing_duration_seconds_bucket{le="1"} 2
            doing_duration_seconds_bucket{le="+Inf"} 3
            doing_duration_seconds_sum 7.6
            doing_duration_seconds_count 3
            # HELP room_bytes Room.
            # TYPE room_bytes gauge
            room_bytes 1.5
            # HELP things_made_total Things \\ made\nhere.
            # TYPE things_made_total counter
            things_made_total{who="a \"b\"\\\n"} 2
            things_made_total{who="c"} 4
            # HELP used_seconds_total Used.
            # TYPE used_seconds_total counter
            used_seconds_total 42

            """,
            PrometheusText.Of(_reader.Collect()),
            ignoreLineEndingDifferences: true
        );
    }

    [Fact]
    public void What_an_observed_instrument_no_longer_speaks_of_is_gone()
    {
        string[] states = ["idle", "busy"];
        _ = _meter.CreateObservableGauge(
            "kernels",
            () => states.Select(s => new Measurement<long>(1, new KeyValuePair<string, object?>("state", s)))
        );

        Assert.Contains("state=\"busy\"", PrometheusText.Of(_reader.Collect()), StringComparison.Ordinal);
        states = ["idle"];
        Assert.DoesNotContain("state=\"busy\"", PrometheusText.Of(_reader.Collect()), StringComparison.Ordinal);
        states = [];
        Assert.Equal("", PrometheusText.Of(_reader.Collect()));
    }

    [Fact]
    public void Labels_without_end_are_not_kept_without_end()
    {
        Counter<long> counter = _meter.CreateCounter<long>("made");
        for (int i = 0; i < 1000; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("id", i));
        }

        Assert.Equal(256 + 2, PrometheusText.Of(_reader.Collect()).Count(static c => c == '\n'));
    }

    [Fact]
    public void A_meter_that_is_not_ours_is_not_published()
    {
        using var stranger = new Meter("Somebody else's");
        stranger.CreateCounter<long>("theirs").Add(1);

        Assert.Empty(_reader.Collect());
    }
}
