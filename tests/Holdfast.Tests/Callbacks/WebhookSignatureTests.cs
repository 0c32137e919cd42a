using System.Text;
using Holdfast.Engine.Callbacks;

namespace Holdfast.Tests.Callbacks;

/// <summary>The signature against the vector that the implementations of Standard Webhooks test themselves with.</summary>
public sealed class WebhookSignatureTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    [Fact]
    public void The_known_vector_is_signed_as_others_sign_it() =>
        Assert.Equal(
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            WebhookSignature.Sign([Secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, """{"test": 2432232314}"""u8)
        );

    [Fact]
    public void Each_secret_signs_so_that_a_receiver_may_know_either()
    {
        string other = "whsec_" + Convert.ToBase64String(new byte[32]);
        string[] both = WebhookSignature.Sign([other, Secret], "a", 1, "{}"u8).Split(' ');
        Assert.Equal([WebhookSignature.Sign([other], "a", 1, "{}"u8), WebhookSignature.Sign([Secret], "a", 1, "{}"u8)], both);
    }

    [Fact]
    public void A_secret_means_the_same_without_its_prefix() =>
        Assert.Equal(WebhookSignature.KeyOf(Secret), WebhookSignature.KeyOf(Secret["whsec_".Length..]));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("whsec_not base64 at all!")]
    [InlineData("whsec_c2hvcnQ=")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa")]
    public void What_is_no_secret_is_none(string? text) => Assert.Null(WebhookSignature.KeyOf(text));

    [Fact]
    public void More_than_64_bytes_are_no_secret() =>
        Assert.Null(WebhookSignature.KeyOf("whsec_" + Convert.ToBase64String(Encoding.ASCII.GetBytes(new string('a', 65)))));
}
