using Holdfast.Engine;
using Holdfast.Server.Telemetry;

namespace Holdfast.Tests.Telemetry;

public sealed class OtlpOptionsTests
{
    private readonly Dictionary<string, string> _variables = [];

    [Fact]
    public void Without_an_address_there_is_no_telemetry()
    {
        Assert.Null(Read());
        _variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://collector:4318";
        _variables["OTEL_SDK_DISABLED"] = "TRUE";
        Assert.Null(Read());
    }

    [Fact]
    public void The_common_address_gets_each_signals_path_and_a_signals_own_is_taken_as_it_is()
    {
        _variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://collector:4318/base/";
        _variables["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"] = "https://logs/in";
        _variables["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=Bearer%20x=, other = y ,nonsense";
        _variables["OTEL_RESOURCE_ATTRIBUTES"] = "service.name=attributes,team=a";
        _variables["OTEL_SERVICE_NAME"] = "named";

        OtlpOptions options = Read()!;
        Assert.Equal(("http://collector:4318/base/v1/traces", "https://logs/in"), (options.Traces!.ToString(), options.Logs!.ToString()));
        Assert.Equal([new("authorization", "Bearer x="), new("other", "y")], options.Headers);
        Assert.Equal("named", Assert.Single(options.Resource, p => p.Key == "service.name").Value);
        Assert.Contains(new("team", "a"), options.Resource);
    }

    [Fact]
    public void An_address_that_is_none_is_refused_by_the_name_of_its_variable()
    {
        _variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = "collector";
        Assert.Contains("OTEL_EXPORTER_OTLP_ENDPOINT", Assert.Throws<RefusedException>(Read).Message, StringComparison.Ordinal);
    }

    private OtlpOptions? Read() => OtlpOptions.Read(_variables.GetValueOrDefault);
}
