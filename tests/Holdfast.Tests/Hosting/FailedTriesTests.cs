using System.Net;
using Holdfast.Server.Hosting.Access;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Hosting;

/// <summary>Wrong tokens counted by address, within bounds.</summary>
public sealed class FailedTriesTests
{
    private readonly FakeClock _clock = new();
    private readonly FailedTries _tries;

    public FailedTriesTests() => _tries = new FailedTries(_clock);

    [Fact]
    public void Ten_a_minute_are_borne_and_then_there_is_a_wait()
    {
        IPAddress address = IPAddress.Parse("192.0.2.1");
        Assert.All(Enumerable.Range(0, 10), _ => Assert.Null(_tries.Add(address)));
        _clock.Turn(TimeSpan.FromSeconds(20));
        Assert.Equal((TimeSpan.FromSeconds(40), true), _tries.Add(address));
        Assert.Equal((TimeSpan.FromSeconds(40), false), _tries.Add(address));
        Assert.Null(_tries.Add(IPAddress.Parse("192.0.2.2")));
        _clock.Turn(TimeSpan.FromSeconds(41));
        Assert.Null(_tries.Add(address));
    }

    [Fact]
    public void A_subscriber_s_many_addresses_are_one()
    {
        Assert.All(Enumerable.Range(1, 10), n => Assert.Null(_tries.Add(IPAddress.Parse($"2001:db8::{n}"))));
        Assert.NotNull(_tries.Add(IPAddress.Parse("2001:db8::ffff")));
        Assert.Null(_tries.Add(IPAddress.Parse("2001:db8:0:1::1")));
        Assert.All(Enumerable.Range(0, 10), _ => Assert.Null(_tries.Add(IPAddress.Parse("192.0.2.1"))));
        Assert.NotNull(_tries.Add(IPAddress.Parse("::ffff:192.0.2.1")));
    }

    [Fact]
    public void A_flood_of_addresses_is_forgotten_oldest_first()
    {
        IPAddress last = IPAddress.Parse("203.0.113.1");
        for (int n = 0; n < 10_000; n++)
        {
            Assert.Null(_tries.Add(new IPAddress(0x0a000000L + n)));
        }

        Assert.All(Enumerable.Range(0, 10), _ => Assert.Null(_tries.Add(last)));
        Assert.NotNull(_tries.Add(last));
    }
}
