using Holdfast.Supervisor.Children;

namespace Holdfast.Tests.Supervisor.Children;

public sealed class CpuLimitTests
{
    [Theory]
    [InlineData(0b1111, 2, 0, 0b0011)]
    [InlineData(0b1111, 2, 3, 0b1001)]
    [InlineData(0b1010_1010, 1, 6, 0b0010_0000)]
    [InlineData(0b1010_1010, 3, 1, 0b1010_1000)]
    public void So_many_of_the_processors_are_kept_beginning_with_the_turns(byte mask, int count, int turn, byte expected)
    {
        byte[] bits = [mask, 0];
        Assert.True(CpuLimit.TryKeep(bits, count, turn));
        Assert.Equal([expected, 0], bits);
    }

    [Fact]
    public void A_machine_that_has_no_more_is_left_as_it_is()
    {
        byte[] bits = [0b11];
        Assert.False(CpuLimit.TryKeep(bits, 2, 7));
        Assert.Equal([(byte)0b11], bits);
    }
}
