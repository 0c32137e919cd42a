using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine.Kernels;

namespace Holdfast.Tests.Kernels;

public sealed class JsonTextFinderTests
{
    private static readonly byte[] Text = "text"u8.ToArray();

    [Theory]
    [InlineData("""{"name":"stdout","text":"a\n\"\\ü\u00fc\u2028\ud83d\ude00"}""", 1 + 1 + 1 + 1 + 2 + 2 + 3 + 4)]
    [InlineData("""{"text":""}""", 0)]
    [InlineData("""{"other":{"text":"no"},"list":["text","no",{"text":"no"}],"text":"yes"}""", 3)]
    [InlineData("""{"x":"text","y":"text"}""", null)]
    [InlineData("""{"a key that is longer than all of ours and then some text":"no"}""", null)]
    public void It_counts_the_text_of_its_key_and_no_other(string json, int? expected) =>
        Assert.Equal(expected, Count(Text, default, Encoding.UTF8.GetBytes(json), 1));

    [Theory]
    [InlineData("""{"data":{"text/html":"no","text/plain":"yes!"},"metadata":{"text/plain":"no"}}""", 4)]
    [InlineData("""{"metadata":{"text/plain":"no"},"data":{"image":{"text/plain":"no"},"text/plain":"yes"}}""", 3)]
    [InlineData("""{"data":{},"metadata":{}}""", null)]
    public void It_counts_within_an_object(string json, int? expected) =>
        Assert.Equal(expected, Count("data"u8.ToArray(), "text/plain"u8.ToArray(), Encoding.UTF8.GetBytes(json), 3));

    /// <summary>
    /// Goal: however the JSON is cut and escaped, the count is that of the text. Method: any text, both kinds of escaping, any size of
    /// piece.
    /// </summary>
    [Fact]
    public void Any_text_counts_the_same_in_pieces_of_any_size() =>
        Prop.ForAll<NonNull<string>, PositiveInt, bool>(
                (text, size, isRelaxed) =>
                {
                    // Without halves of pairs, which no JSON can carry.
                    string valid = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.Get));
                    var options = new JsonSerializerOptions
                    {
                        Encoder = isRelaxed ? System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping : null,
                        TypeInfoResolver = JsonSerializerOptions.Default.TypeInfoResolver,
                    };
                    byte[] json = Encoding.UTF8.GetBytes(new JsonObject { ["name"] = "stdout", ["text"] = valid }.ToJsonString(options));
                    return Count(Text, default, json, size.Get) == Encoding.UTF8.GetByteCount(valid);
                }
            )
            .QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("""{"name":"stdout","text":"a\n\t\"\\\/ü\u00fc\ud83d\ude00"}""", "a\n\t\"\\/üü😀")]
    [InlineData("""{"text":"\ud83d!\udE00\ud83d\ud83d\ude00\ud83d"}""", "\uFFFD!\uFFFD\uFFFD😀\uFFFD")]
    public void The_text_is_given_with_its_escapes_undone(string json, string expected) =>
        Assert.All(
            Enumerable.Range(1, 7),
            size =>
            {
                var found = new ArrayBufferWriter<byte>();
                var finder = new JsonTextFinder(Text, default, found);
                Assert.All(Encoding.UTF8.GetBytes(json).Chunk(size), piece => finder.Add(piece));
                Assert.Equal((expected, found.WrittenCount), (Encoding.UTF8.GetString(found.WrittenSpan), finder.Count));
            }
        );

    private static long? Count(byte[] outer, byte[]? inner, byte[] json, int size)
    {
        var found = new ArrayBufferWriter<byte>();
        var counter = new JsonTextFinder(outer, inner ?? [], found);
        foreach (byte[] piece in json.Chunk(size))
        {
            counter.Add(piece);
        }

        Assert.Equal(counter.Count ?? 0, found.WrittenCount);
        return counter.Count;
    }
}
