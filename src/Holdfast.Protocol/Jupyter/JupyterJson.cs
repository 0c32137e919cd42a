using System.Text.Json;

namespace Holdfast.Protocol.Jupyter;

/// <summary>Single fields out of a JSON frame, without a document and without an allocation: the frames of a message can be 100
/// MB.</summary>
public static class JupyterJson
{
    // Kernels nest metadata as deep as users nest data; 64, the default, has been seen to refuse real notebooks.
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 1000 };

    /// <summary>
    /// The bytes of the text value of a property of the outermost object, between the quotes and with escapes left as they are (identifiers
    /// and message types have none). False when it is not there, is no text, or the JSON breaks before it.
    /// </summary>
    public static bool TryGetRaw(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        var reader = new Utf8JsonReader(json, Options);
        if (!TrySeek(ref reader, name) || reader.TokenType != JsonTokenType.String)
        {
            return false;
        }

        value = reader.ValueSpan;
        return true;
    }

    /// <summary>As <see cref="TryGetRaw"/>, unescaped; null instead of false.</summary>
    public static string? GetText(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        var reader = new Utf8JsonReader(json, Options);
        if (!TrySeek(ref reader, name) || reader.TokenType != JsonTokenType.String)
        {
            return null;
        }

        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null; // Bytes that are not UTF-8.
        }
    }

    /// <summary>True when the property is the text given.</summary>
    public static bool IsText(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, ReadOnlySpan<byte> text) =>
        TryGetRaw(json, name, out ReadOnlySpan<byte> value) && value.SequenceEqual(text);

    /// <summary>True when the property is <c>true</c>.</summary>
    public static bool IsTrue(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        var reader = new Utf8JsonReader(json, Options);
        return TrySeek(ref reader, name) && reader.TokenType == JsonTokenType.True;
    }

    private static bool TrySeek(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals(name))
                {
                    return reader.Read();
                }

                reader.Skip();
            }

            return false;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
