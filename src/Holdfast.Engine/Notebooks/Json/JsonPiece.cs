namespace Holdfast.Engine.Notebooks.Json;

/// <summary>
/// A value inside a file that keeps its own text. A piece that nobody opens is written back byte for byte, white space, escapes,
/// number forms and repeated names included; an opened one keeps everything but what was set.
/// </summary>
internal abstract class JsonPiece
{
    /// <summary>Hands over the text in order, slice by slice: the old text is never copied together.</summary>
    public abstract void Write(Action<ReadOnlyMemory<byte>> output);

    protected static readonly ReadOnlyMemory<byte> Comma = ","u8.ToArray();

    /// <summary>What stands between the brackets of an empty container: perhaps white space, which is kept too.</summary>
    protected static ReadOnlyMemory<byte> EmptyInside(ReadOnlyMemory<byte> text) =>
        JsonScan.SkipWhitespace(text.Span, 1) == text.Length - 1 ? text[1..^1] : default;
}

/// <summary>Text as it is: an unopened part of the file, or a new value.</summary>
internal sealed class RawPiece(ReadOnlyMemory<byte> text) : JsonPiece
{
    public ReadOnlyMemory<byte> Text { get; } = text;

    public override void Write(Action<ReadOnlyMemory<byte>> output) => output(Text);
}

/// <summary>A new value too large to be copied together. It is written, never read again.</summary>
internal sealed class SegmentsPiece(Segments text) : JsonPiece
{
    public override void Write(Action<ReadOnlyMemory<byte>> output) => text.Write(output);
}
