using Holdfast.Protocol;

namespace Holdfast.Tests.Attempts;

public sealed class HoldfastVersionTests
{
    [Fact]
    public void The_constant_is_the_builds_version() =>
        Assert.Equal(HoldfastVersion.Text, typeof(HoldfastVersion).Assembly.GetName().Version!.ToString(3));
}
