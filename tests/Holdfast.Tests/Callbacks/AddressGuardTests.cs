using System.Net;
using Holdfast.Engine.Callbacks;

namespace Holdfast.Tests.Callbacks;

/// <summary>Where callbacks may go, in every form an address can be written.</summary>
public sealed class AddressGuardTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.0.9")]
    [InlineData("0.0.0.0")]
    [InlineData("10.0.0.1")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.1.1")]
    [InlineData("169.254.169.254")]
    [InlineData("100.64.0.1")]
    [InlineData("100.127.255.255")]
    [InlineData("192.0.0.1")]
    [InlineData("198.18.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.250")]
    [InlineData("255.255.255.255")]
    [InlineData("240.0.0.1")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::7f00:1")]
    [InlineData("fe80::1")]
    [InlineData("fe80::1%2")]
    [InlineData("fc00::1")]
    [InlineData("fd12:3456:789a::1")]
    [InlineData("ff02::1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("2002:7f00:1::1")]
    [InlineData("2001:0:7f00:1::1")]
    [InlineData("2001:db8::1")]
    [InlineData("100::1")]
    public void What_is_not_public_is_refused_unless_it_is_allowed(string text)
    {
        IPAddress address = IPAddress.Parse(text);
        Assert.False(new AddressGuard([]).IsAllowed(address));
        Assert.True(new AddressGuard([IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("::/0")]).IsAllowed(address));
    }

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.1")]
    [InlineData("100.128.0.1")]
    [InlineData("192.169.0.1")]
    [InlineData("::ffff:93.184.216.34")]
    [InlineData("2606:2800:220:1::1")]
    [InlineData("64:ff9b::5db8:d822")]
    public void What_is_public_is_allowed(string text) => Assert.True(new AddressGuard([]).IsAllowed(IPAddress.Parse(text)));

    [Fact]
    public void An_allowed_network_is_allowed_and_nothing_beside_it()
    {
        var guard = new AddressGuard(CallbackOptions.ParseNetworks("127.0.0.0/8, 10.1.2.3 ,[fd00::1]", out _)!);
        Assert.True(guard.IsAllowed(IPAddress.Loopback));
        Assert.True(guard.IsAllowed(IPAddress.Parse("::ffff:127.0.0.1")));
        Assert.True(guard.IsAllowed(IPAddress.Parse("10.1.2.3")));
        Assert.True(guard.IsAllowed(IPAddress.Parse("fd00::1")));
        Assert.False(guard.IsAllowed(IPAddress.IPv6Loopback));
        Assert.False(guard.IsAllowed(IPAddress.Parse("10.1.2.4")));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST.")]
    [InlineData("a.localhost")]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    public void A_name_that_can_only_be_this_machine_is_known_as_such(string host)
    {
        Assert.False(new AddressGuard([]).MayBeAllowed(host));
        Assert.True(new AddressGuard([IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")]).MayBeAllowed(host));
    }

    [Theory]
    [InlineData("127.0.0.0/33", "127.0.0.0/33")]
    [InlineData("10.0.0.0/8,here", "here")]
    public void What_is_no_network_is_named(string text, string wrong)
    {
        Assert.Null(CallbackOptions.ParseNetworks(text, out string? named));
        Assert.Equal(wrong, named);
    }
}
