using System.Text;
using System.Text.Json;
using Holdfast.Protocol.Json;

namespace Holdfast.Tests.Json;

/// <summary>
/// Goal: our reader and writer agree with the framework's. Method: random texts, whole and damaged at every place, read by both.
/// </summary>
public sealed class PlainJsonTests
{
    [Fact]
    public void Random_texts_and_damaged_ones_are_read_as_the_framework_reads_them()
    {
        var random = new Random(20261121);
        for (int i = 0; i < 400; i++)
        {
            byte[] whole = Encoding.UTF8.GetBytes(Value(random, 0));
            Compare(whole);
            for (int j = 0; j < 40; j++)
            {
                Compare(Damage(random, whole));
            }
        }
    }

    [Fact]
    public void What_is_written_is_read_back_by_both()
    {
        var random = new Random(7);
        for (int i = 0; i < 2000; i++)
        {
            string name = Text(random),
                value = Text(random);
            long number = random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
            var writer = new PlainJsonWriter();
            writer.WriteStartObject();
            writer.WriteString(name, value);
            writer.WriteNumber("n", number);
            writer.WriteBoolean("b", true);
            writer.WriteStartArray("a");
            writer.WriteStringValue(value);
            writer.WriteStringValue("");
            writer.WriteEndArray();
            writer.WriteStartObject("o");
            writer.WriteEndObject();
            writer.WriteBase64String("x", [1, 2, 255]);
            writer.WriteEndObject();

            using JsonDocument document = JsonDocument.Parse(writer.Written.ToArray());
            List<string> tokens = Tokens(writer.Written);
            string[] expected =
            [
                "{",
                "name " + name,
                "text " + value,
                "name n",
                "number " + number,
                "name b",
                "True",
                "name a",
                "[",
                "text " + value,
                "text ",
                "]",
                "name o",
                "{",
                "}",
                "name x",
                "text AQL/",
                "}",
            ];
            Assert.Equal(expected, tokens);
        }
    }

    [Fact]
    public void Half_a_character_is_written_as_a_mark_and_refused_when_read()
    {
        var writer = new PlainJsonWriter();
        writer.WriteStartObject();
        writer.WriteString("a", "x\uD83Dy");
        writer.WriteEndObject();

        Assert.Equal("""{"a":"x�y"}""", Encoding.UTF8.GetString(writer.Written));
        Assert.Throws<JsonSyntaxException>(() => Tokens("""{"a":"x\ud83dy"}"""u8));
        Assert.Throws<JsonSyntaxException>(() => Tokens([(byte)'"', 0xC3, (byte)'"']));
    }

    [Theory]
    [InlineData("9223372036854775807", 9223372036854775807)]
    [InlineData("-9223372036854775808", -9223372036854775808)]
    [InlineData("0", 0)]
    [InlineData("-0", 0)]
    public void Whole_numbers_are_read_to_their_bounds(string text, long expected)
    {
        var reader = new PlainJsonReader(Encoding.UTF8.GetBytes(text));
        reader.Read();

        Assert.Equal(expected, reader.GetInt64());
    }

    [Theory]
    [InlineData("9223372036854775808")]
    [InlineData("-9223372036854775809")]
    [InlineData("1.0")]
    [InlineData("1e3")]
    [InlineData("true")]
    public void What_is_no_whole_number_of_64_bits_is_refused(string text) =>
        Assert.Throws<JsonSyntaxException>(() =>
        {
            var reader = new PlainJsonReader(Encoding.UTF8.GetBytes(text));
            reader.Read();
            return reader.GetInt64();
        });

    [Fact]
    public void A_value_is_passed_over_whole()
    {
        var reader = new PlainJsonReader("""{"a":{"x":[1,{"y":2}]},"b":7}"""u8);
        reader.Read();
        reader.Read();
        reader.Skip();
        Assert.True(reader.Read());

        Assert.Equal("b", reader.GetString());
    }

    [Fact]
    public void Sixty_four_levels_are_read_and_no_more()
    {
        Assert.Equal(128, Tokens(Encoding.UTF8.GetBytes(new string('[', 64) + new string(']', 64))).Count);
        Assert.Throws<JsonSyntaxException>(() => Tokens(Encoding.UTF8.GetBytes(new string('[', 65) + new string(']', 65))));
    }

    private static void Compare(byte[] text)
    {
        List<string>? expected = FrameworkTokens(text);
        List<string>? actual;
        try
        {
            actual = Tokens(text);
        }
        catch (JsonSyntaxException)
        {
            actual = null;
        }

        Assert.True(
            (expected is null && actual is null) || (expected is not null && actual is not null && expected.SequenceEqual(actual)),
            $"read differently: {Encoding.UTF8.GetString(text)}"
        );
    }

    private static List<string> Tokens(ReadOnlySpan<byte> text)
    {
        var tokens = new List<string>();
        var reader = new PlainJsonReader(text);
        while (reader.Read())
        {
            tokens.Add(
                reader.TokenType switch
                {
                    JsonToken.StartObject => "{",
                    JsonToken.EndObject => "}",
                    JsonToken.StartArray => "[",
                    JsonToken.EndArray => "]",
                    JsonToken.PropertyName => "name " + reader.GetString(),
                    JsonToken.String => "text " + reader.GetString(),
                    JsonToken.Number => "number " + NumberOf(reader),
                    _ => reader.TokenType.ToString(),
                }
            );
        }

        return tokens;
    }

    private static string NumberOf(PlainJsonReader reader)
    {
        try
        {
            return reader.GetInt64().ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (JsonSyntaxException)
        {
            return "other";
        }
    }

    private static List<string>? FrameworkTokens(byte[] text)
    {
        try
        {
            var tokens = new List<string>();
            var reader = new Utf8JsonReader(text);
            while (reader.Read())
            {
                tokens.Add(
                    reader.TokenType switch
                    {
                        JsonTokenType.StartObject => "{",
                        JsonTokenType.EndObject => "}",
                        JsonTokenType.StartArray => "[",
                        JsonTokenType.EndArray => "]",
                        JsonTokenType.PropertyName => "name " + reader.GetString(),
                        JsonTokenType.String => "text " + reader.GetString(),
                        JsonTokenType.Number => "number " + (IsPlain(reader.ValueSpan) && reader.TryGetInt64(out long n) ? n : "other"),
                        _ => reader.TokenType.ToString(),
                    }
                );
            }

            return tokens;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsPlain(ReadOnlySpan<byte> number) => number.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0;

    private static byte[] Damage(Random random, byte[] whole)
    {
        byte[] damaged = (byte[])whole.Clone();
        switch (random.Next(3))
        {
            case 0:
                return damaged[..random.Next(damaged.Length)];
            case 1:
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                return damaged;
            default:
                ReadOnlySpan<byte> odd = "{}[],:\"\\0-1.eEtfnu "u8;
                var list = new List<byte>(damaged);
                list.Insert(random.Next(damaged.Length + 1), odd[random.Next(odd.Length)]);
                return list.ToArray();
        }
    }

    private static string Value(Random random, int depth)
    {
        switch (random.Next(depth > 4 ? 5 : 7))
        {
            case 0:
                return JsonEncoded(Text(random));
            case 1:
                return (random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64)).ToString(
                    System.Globalization.CultureInfo.InvariantCulture
                );
            case 2:
                string[] numbers = ["0", "-0", "1.5", "-2e10", "1E-3", "123456789012345678901234567890"];
                return numbers[random.Next(numbers.Length)];
            case 3:
                string[] words = ["true", "false", "null"];
                return words[random.Next(words.Length)];
            case 4:
                return """ "\u00e9\n\t\/\\\"\ud83d\ude00" """;
            case 5:
                return "[" + Join(random, depth, () => Value(random, depth + 1)) + "]";
            default:
                return "{ " + Join(random, depth, () => JsonEncoded(Text(random)) + " :\t" + Value(random, depth + 1)) + "}\n";
        }
    }

    private static string Join(Random random, int depth, Func<string> part)
    {
        var parts = new List<string>();
        for (int i = random.Next(4); i > 0; i--)
        {
            parts.Add(part());
        }

        return string.Join(random.Next(2) == 0 ? "," : " ,\r\n", parts);
    }

    private static string JsonEncoded(string text) =>
        "\"" + JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping) + "\"";

    private static string Text(Random random)
    {
        string[] pieces = ["a", "Z", "\"", "\\", "/", "\n", "\u0001", "\u007f", "é", "€", "\U0001F600", " ", "<", "{", "0"];
        var text = new StringBuilder();
        for (int i = random.Next(8); i > 0; i--)
        {
            text.Append(pieces[random.Next(pieces.Length)]);
        }

        return text.ToString();
    }
}
