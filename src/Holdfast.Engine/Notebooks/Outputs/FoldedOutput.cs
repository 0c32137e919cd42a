using System.Text;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Notebooks.Json;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>One element of a cell's <c>outputs</c>, in the making.</summary>
internal abstract class FoldedOutput
{
    /// <summary>
    /// Writes it as nbformat does, names sorted; for a value that is longer than so many bytes, a short text that says where it is.
    /// </summary>
    public abstract void Write(JsonText text, int inlineBytesMax);

    /// <summary>The values that are too large to stand in a notebook, and of which it is not known yet where they are kept.</summary>
    public virtual IEnumerable<LargeValue> Unkept(int inlineBytesMax) => [];

    /// <summary>Where the values are kept that are too large.</summary>
    public virtual IEnumerable<AssetMark> Kept(int inlineBytesMax) => [];
}

/// <summary>A value of an output that is too large to stand in a notebook.</summary>
/// <param name="Open">Its bytes as they are now.</param>
/// <param name="Accept">Told where it is kept; of no effect when the value has changed since.</param>
internal sealed record LargeValue(string MediaType, Func<Stream> Open, Action<AssetMark> Accept);

/// <summary>Consecutive stream messages of one name.</summary>
internal sealed class StreamOutput(byte[] name, int bytesMax, OutputSpools? spools = null) : FoldedOutput
{
    public byte[] Name { get; } = name;

    private readonly TerminalText _text = new(bytesMax, spools);
    private AssetMark? _kept;
    private long _version;

    public void Append(ReadOnlySpan<byte> text)
    {
        _text.Append(text);
        _kept = null; // What is kept is no longer the whole.
        _version++;
    }

    public override IEnumerable<LargeValue> Unkept(int inlineBytesMax)
    {
        long version = _version;
        return _kept is null && _text.SettledLength > inlineBytesMax && _text.IsWhole
            ? [new LargeValue("text/plain; charset=utf-8", _text.OpenWhole, mark => _kept = version == _version ? mark : _kept)]
            : [];
    }

    public override IEnumerable<AssetMark> Kept(int inlineBytesMax) =>
        _kept is not null && _text.SettledLength > inlineBytesMax ? [_kept] : [];

    public override void Write(JsonText text, int inlineBytesMax)
    {
        text.StartObject();
        text.Name("name"u8);
        text.String(Name);
        text.Name("output_type"u8);
        text.String("stream"u8);
        text.Name("text"u8);
        if (_text.SettledLength <= inlineBytesMax)
        {
            text.Lines(_text.ToUtf8());
        }
        else
        {
            text.Lines(LargeText.Shorten(_text, Encoding.UTF8.GetString(Name), _kept));
        }

        text.EndObject();
    }
}

/// <summary>A display or a result. Those with a display id share their content with every other output of that id.</summary>
internal sealed class RichOutput(DisplayContent content, bool isResult, byte[] executionCount) : FoldedOutput
{
    public DisplayContent Content { get; } = content;

    public override IEnumerable<LargeValue> Unkept(int inlineBytesMax) =>
        LargeTypes(inlineBytesMax)
            .Where(type => Content.KeptAt(type) is null)
            .Select(type =>
            {
                byte[] bundle = Content.Bundle;
                OutputSpool? spool = Content.SpooledAt(type);
                return new LargeValue(
                    type,
                    () => new PartsStream(spool?.ToPart() ?? PartsStream.Part.Of(MimeBundle.Decode(bundle, type))),
                    mark => Content.Keep(bundle, type, mark)
                );
            });

    public override IEnumerable<AssetMark> Kept(int inlineBytesMax) =>
        LargeTypes(inlineBytesMax).Select(Content.KeptAt).OfType<AssetMark>();

    public override void Write(JsonText text, int inlineBytesMax)
    {
        List<string> large = LargeTypes(inlineBytesMax);
        text.StartObject();
        text.Name("data"u8);
        if (large.Count == 0)
        {
            MimeBundle.Write(Content.Bundle, text);
        }
        else
        {
            LargeBundle.Write(Content, large, text);
        }

        if (isResult)
        {
            text.Name("execution_count"u8);
            text.Raw(executionCount);
        }

        text.Name("metadata"u8);
        if (large.Any(type => Content.KeptAt(type) is not null))
        {
            LargeBundle.WriteMetadata(Content, large, text);
        }
        else
        {
            text.Value(Content.Metadata);
        }

        text.Name("output_type"u8);
        text.String(isResult ? "execute_result"u8 : "display_data"u8);
        text.EndObject();
    }

    private List<string> LargeTypes(int inlineBytesMax)
    {
        List<string> large = [.. Content.SpooledTypes];
        if (Content.Bundle.Length > inlineBytesMax)
        {
            large.AddRange(MimeBundle.LargerThan(Content.Bundle, inlineBytesMax));
        }

        large.Sort(StringComparer.Ordinal);
        return large;
    }
}

/// <summary>An error, with the kernel's own traceback lines.</summary>
internal sealed class ErrorOutput(byte[] name, byte[] value, byte[] traceback) : FoldedOutput
{
    public string Name => JsonStrings.ToText(name);

    public string Value => JsonStrings.ToText(value);

    public override void Write(JsonText text, int inlineBytesMax)
    {
        text.StartObject();
        text.Name("ename"u8);
        text.Value(name);
        text.Name("evalue"u8);
        text.Value(value);
        text.Name("output_type"u8);
        text.String("error"u8);
        text.Name("traceback"u8);
        text.Value(traceback);
        text.EndObject();
    }
}
