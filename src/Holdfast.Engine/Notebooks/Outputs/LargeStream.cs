using System.Buffers;
using Holdfast.Engine.Kernels;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>
/// A stream message whose content comes piece by piece: its name, which all kernels send before a text that long, and the text so far, in
/// whole characters.
/// </summary>
internal sealed class LargeStream
{
    private readonly ArrayBufferWriter<byte> _nameText = new();
    private readonly ArrayBufferWriter<byte> _text = new();
    private readonly JsonTextFinder _nameFinder;
    private readonly JsonTextFinder _textFinder;

    public LargeStream()
    {
        _nameFinder = new JsonTextFinder("name"u8.ToArray(), default, _nameText);
        _textFinder = new JsonTextFinder("text"u8.ToArray(), default, _text);
    }

    public ReadOnlySpan<byte> Name => _nameText.WrittenCount > 0 ? _nameText.WrittenSpan : "stdout"u8;

    /// <summary>The text that this piece adds; valid until the next one.</summary>
    public ReadOnlySpan<byte> Add(ReadOnlySpan<byte> content)
    {
        byte[] broken = [.. _text.WrittenSpan[WholeLength(_text.WrittenSpan)..]];
        _text.ResetWrittenCount();
        _text.Write(broken);
        if (_nameText.WrittenCount == 0)
        {
            _nameFinder.Add(content);
        }

        _textFinder.Add(content);
        return _text.WrittenSpan[..WholeLength(_text.WrittenSpan)];
    }

    /// <summary>Up to where the text has no character that goes on past its end.</summary>
    private static int WholeLength(ReadOnlySpan<byte> text)
    {
        for (int back = 1; back <= Math.Min(3, text.Length); back++)
        {
            byte lead = text[^back];
            if (lead >= 0xC0)
            {
                int needed =
                    lead >= 0xF0 ? 4
                    : lead >= 0xE0 ? 3
                    : 2;
                return needed > back ? text.Length - back : text.Length;
            }

            if (lead < 0x80)
            {
                break;
            }
        }

        return text.Length;
    }
}
