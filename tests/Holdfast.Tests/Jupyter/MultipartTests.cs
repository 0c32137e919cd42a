using FsCheck;
using FsCheck.Fluent;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Tests.Jupyter;

public class MultipartTests
{
    [Fact]
    public void The_encoding_is_pinned()
    {
        byte[] encoded = Multipart.Encode("ab"u8.ToArray(), Array.Empty<byte>(), "cde"u8.ToArray());

        Assert.Equal(
            "03000000" + "02000000" + "00000000" + "03000000" + "6162" + "636465",
            Convert.ToHexString(encoded).ToLowerInvariant()
        );
    }

    [Fact]
    public void A_head_written_apart_is_the_same_head()
    {
        var head = new byte[Multipart.HeadLength(3)];
        int length = Multipart.WriteHead(head, [2, 0, 3]);

        Assert.Equal(Multipart.Encode("ab"u8.ToArray(), Array.Empty<byte>(), "cde"u8.ToArray())[..length], head);
    }

    [Fact]
    public void What_is_encoded_is_decoded()
    {
        Prop.ForAll<byte[][]>(frames =>
            {
                ReadOnlyMemory<byte>[] given = Array.ConvertAll(frames, static f => new ReadOnlyMemory<byte>(f ?? []));
                return Multipart.TryDecode(Multipart.Encode(given), out ReadOnlyMemory<byte>[] back)
                    && back.Length == given.Length
                    && back.Zip(given).All(static pair => pair.First.Span.SequenceEqual(pair.Second.Span));
            })
            .QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Every_cut_and_every_addition_is_refused()
    {
        byte[] encoded = Multipart.Encode("header"u8.ToArray(), Array.Empty<byte>(), "content"u8.ToArray());
        for (int length = 0; length < encoded.Length; length++)
        {
            Assert.False(Multipart.TryDecode(encoded.AsMemory(0, length), out _));
        }

        Assert.False(Multipart.TryDecode(new byte[encoded.Length + 1].Also(b => encoded.CopyTo(b, 0)), out _));
    }

    [Theory]
    [InlineData("ffffffff")]
    [InlineData("01000000ffffffff")]
    [InlineData("02000000ffffffffffffffff00")]
    public void Lengths_past_the_bytes_at_hand_are_refused_without_asking_for_memory(string hex) =>
        Assert.False(Multipart.TryDecode(Convert.FromHexString(hex), out _));

    [Fact]
    public void A_prefix_gives_the_frames_that_are_whole()
    {
        byte[] encoded = Multipart.Encode("header"u8.ToArray(), "parent"u8.ToArray(), new byte[1000]);

        Assert.True(Multipart.TryDecodePrefix(encoded.AsMemory(0, 100), out ReadOnlyMemory<byte>[] frames));
        Assert.Equal(2, frames.Length);
        Assert.True(frames[1].Span.SequenceEqual("parent"u8));
    }
}

internal static class ArrayMutation
{
    public static T Also<T>(this T value, Action<T> change)
    {
        change(value);
        return value;
    }
}
