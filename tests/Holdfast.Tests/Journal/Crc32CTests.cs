using System.Text;
using Holdfast.Protocol.Journal;

namespace Holdfast.Tests.Journal;

public sealed class Crc32CTests
{
    /// <summary>The check value of the CRC catalogue, and the vectors of RFC 3720, appendix B.4.</summary>
    [Fact]
    public void Published_vectors_agree()
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute(Encoding.ASCII.GetBytes("123456789")));
        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute([.. Enumerable.Repeat((byte)0xFF, 32)]));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
    }

    [Fact]
    public void Every_length_and_alignment_agrees_with_the_definition()
    {
        byte[] bytes = new byte[300];
        new Random(1).NextBytes(bytes);
        for (int start = 0; start < 9; start++)
        {
            for (int length = 0; length <= bytes.Length - start; length++)
            {
                Assert.Equal(BitByBit(bytes.AsSpan(start, length)), Crc32C.Compute(bytes.AsSpan(start, length)));
            }
        }
    }

    /// <summary>Past some thousand bytes, several runs are taken side by side.</summary>
    [Fact]
    public void Long_ones_agree_with_the_definition_too()
    {
        byte[] bytes = new byte[10_000];
        new Random(3).NextBytes(bytes);
        foreach (int length in new[] { 3071, 3072, 3073, 3135, 3136, 6143, 6144, 6145, 9216, 9999 })
        {
            Assert.Equal(BitByBit(bytes.AsSpan(1, length)), Crc32C.Compute(bytes.AsSpan(1, length)));
            uint begun = Crc32C.Append(Crc32C.Start, bytes.AsSpan(0, 1)); // From another start than the first.
            Assert.Equal(BitByBit(bytes.AsSpan(0, length + 1)), Crc32C.Finish(Crc32C.Append(begun, bytes.AsSpan(1, length))));
        }
    }

    [Fact]
    public void It_does_not_matter_where_the_bytes_are_divided()
    {
        byte[] bytes = new byte[200];
        new Random(2).NextBytes(bytes);
        for (int split = 0; split <= bytes.Length; split++)
        {
            uint first = Crc32C.Append(Crc32C.Start, bytes.AsSpan(0, split));
            Assert.Equal(Crc32C.Compute(bytes), Crc32C.Finish(Crc32C.Append(first, bytes.AsSpan(split))));
        }
    }

    private static uint BitByBit(ReadOnlySpan<byte> bytes)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
            }
        }

        return ~crc;
    }
}
