using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Holdfast.Server.Rest;

namespace Holdfast.Tests.Rest;

/// <summary>Text that is followed in pieces is the text, wherever the pieces were cut.</summary>
public sealed class Utf8ChunksTests
{
    private const int Seed = 20260102;

    [Fact]
    public void Any_chunking_of_any_text_gives_the_same_text() =>
        Check(from text in Texts from cuts in Gen.Choose(0, 12).ListOf() select (Encoding.UTF8.GetBytes(text), cuts.ToArray()));

    [Fact]
    public void Any_chunking_of_any_bytes_gives_what_decoding_them_at_once_gives() =>
        Check(
            from bytes in Gen.OneOf(Gen.Choose(0, 255), Gen.Elements(0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80, 0xED, 0xFF))
                .Select(b => (byte)b)
                .ListOf()
            from cuts in Gen.Choose(0, 12).ListOf()
            select (bytes.ToArray(), cuts.ToArray())
        );

    [Fact]
    public void What_waits_for_its_end_is_counted()
    {
        var chunks = new Utf8Chunks();
        Assert.Equal("a", chunks.Take([0x61, 0xF0, 0x9F, 0x98]));
        Assert.Equal(3, chunks.HeldBytes);
        Assert.Equal("😀", chunks.Take([0x80]));
        Assert.Equal(0, chunks.HeldBytes);
    }

    [Fact]
    public void A_character_that_never_ends_is_said_as_a_replacement()
    {
        var chunks = new Utf8Chunks();
        Assert.Equal("", chunks.Take([0xE2, 0x82]));
        Assert.Equal("\uFFFD", chunks.End());
        Assert.Equal(0, chunks.HeldBytes);
        Assert.Equal("", chunks.End());
    }

    /// <summary>Every plane: one to four bytes a character.</summary>
    private static Gen<string> Texts =>
        Gen.OneOf(
                Gen.Choose(0, 0x7F),
                Gen.Choose(0x80, 0x7FF),
                Gen.Choose(0x800, 0xD7FF),
                Gen.Choose(0xE000, 0xFFFF),
                Gen.Choose(0x10000, 0x10FFFF)
            )
            .Select(c => new Rune(c).ToString())
            .ListOf()
            .Select(string.Concat);

    private static void Check(Gen<(byte[] Bytes, int[] Cuts)> cases) =>
        Prop.ForAll(
                cases.ToArbitrary(),
                one =>
                {
                    var chunks = new Utf8Chunks();
                    var text = new StringBuilder();
                    int taken = 0;
                    foreach (int cut in one.Cuts.Append(one.Bytes.Length))
                    {
                        int count = Math.Min(cut, one.Bytes.Length - taken);
                        text.Append(chunks.Take(one.Bytes.AsSpan(taken, count)));
                        taken += count;

                        // Who resumes at the offset that was said reads whole characters: what was said so far is what stands before it.
                        Assert.InRange(chunks.HeldBytes, 0, 3);
                        Assert.Equal(Encoding.UTF8.GetString(one.Bytes, 0, taken - chunks.HeldBytes), text.ToString());
                    }

                    text.Append(chunks.End());
                    Assert.Equal(Encoding.UTF8.GetString(one.Bytes), text.ToString());
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(Seed, 1));
}
