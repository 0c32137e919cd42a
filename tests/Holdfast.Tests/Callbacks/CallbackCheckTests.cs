using System.Net;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Callbacks;

namespace Holdfast.Tests.Callbacks;

/// <summary>What is asked for is refused at once when it could never be delivered, with a code and a remedy.</summary>
public sealed class CallbackCheckTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    [Theory]
    [InlineData("hook", ErrorCodes.CallbackUrlInvalid)]
    [InlineData("/hook", ErrorCodes.CallbackUrlInvalid)]
    [InlineData("ftp://example.org/", ErrorCodes.CallbackUrlInvalid)]
    [InlineData("file:///etc/passwd", ErrorCodes.CallbackUrlInvalid)]
    [InlineData("https://me:pass@example.org/", ErrorCodes.CallbackUrlInvalid)]
    [InlineData("http://example.org:0/", ErrorCodes.CallbackUrlInvalid)]
    [InlineData("http://127.0.0.1:9/", ErrorCodes.CallbackAddressNotAllowed)]
    [InlineData("http://2130706433/", ErrorCodes.CallbackAddressNotAllowed)]
    [InlineData("http://0x7f.1/", ErrorCodes.CallbackAddressNotAllowed)]
    [InlineData("http://[::ffff:10.0.0.1]/", ErrorCodes.CallbackAddressNotAllowed)]
    [InlineData("http://localhost:8787/", ErrorCodes.CallbackAddressNotAllowed)]
    [InlineData("http://169.254.169.254/latest/meta-data", ErrorCodes.CallbackAddressNotAllowed)]
    public void An_address_that_could_never_do_is_refused(string url, string code)
    {
        RefusedException refusal = Refusal(new CallbackRequest { Url = url });
        Assert.Equal(code, refusal.Code);
        if (code == ErrorCodes.CallbackAddressNotAllowed)
        {
            Assert.Contains("HOLDFAST_CALLBACKS_ALLOW", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_secret_that_is_none_is_refused_and_not_repeated()
    {
        RefusedException refusal = Refusal(new CallbackRequest { Url = "https://example.org/", Secret = "hunter2" });
        Assert.Equal(ErrorCodes.InvalidRequest, refusal.Code);
        Assert.DoesNotContain("hunter2", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_url_or_a_command_but_not_both_nor_neither()
    {
        Assert.Equal(ErrorCodes.InvalidRequest, Refusal(new CallbackRequest()).Code);
        Assert.Equal(ErrorCodes.InvalidRequest, Refusal(new CallbackRequest { Url = "https://example.org/", Argv = ["true"] }).Code);
        Assert.Equal(ErrorCodes.InvalidRequest, Refusal(new CallbackRequest { Argv = [] }).Code);
    }

    [Fact]
    public void What_was_checked_says_whom_to_tell_and_never_its_secret()
    {
        var request = new CallbackRequest { Url = "https://example.org/hook?token=abc", Secret = Secret };
        CallbackOrder order = Check(request)!;
        Assert.Equal("https://example.org/hook?token=abc", order.Url);
        Assert.Equal("https://example.org/hook", order.Lane);
        Assert.Equal([Secret], order.Secrets);
        Assert.DoesNotContain(Secret, order.ToString() + request, StringComparison.Ordinal);
    }

    [Fact]
    public void Loopback_can_be_allowed() =>
        Assert.NotNull(
            new CallbackCheck(new AddressGuard([IPNetwork.Parse("127.0.0.0/8")])).Check(
                new CallbackRequest { Url = "http://127.0.0.1:9/" },
                null
            )
        );

    [Theory]
    [InlineData("\"minutes\"", "[30,120,600]")]
    [InlineData("\"once\"", "[]")]
    [InlineData("\"days\"", "[5,300,1800,7200,18000,36000,50400,72000,86400]")]
    [InlineData("null", "[5,300,1800,7200,18000,36000,50400,72000,86400]")]
    [InlineData("[0.5,1]", "[0.5,1]")]
    public void A_schedule_is_a_name_or_a_list(string json, string stored)
    {
        CallbackSchedule schedule = CallbackSchedule.Parse(JsonDocument.Parse(json).RootElement);
        Assert.Equal(stored, schedule.ToString());
        Assert.Equal(schedule.Seconds, CallbackSchedule.FromText(stored).Seconds);
    }

    [Theory]
    [InlineData("\"weeks\"")]
    [InlineData("[-1]")]
    [InlineData("[700000]")]
    [InlineData("[\"5\"]")]
    [InlineData("5")]
    [InlineData("{}")]
    public void What_is_no_schedule_is_refused(string json) =>
        Assert.Equal(
            ErrorCodes.InvalidRequest,
            Assert.Throws<RefusedException>(() => CallbackSchedule.Parse(JsonDocument.Parse(json).RootElement)).Code
        );

    private static CallbackOrder? Check(CallbackRequest request) => new CallbackCheck(new AddressGuard([])).Check(request, null);

    private static RefusedException Refusal(CallbackRequest request) => Assert.Throws<RefusedException>(() => Check(request));
}
