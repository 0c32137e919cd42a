using System.Text;
using Holdfast.Engine.Notebooks.Json;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>One element of a cell's <c>outputs</c>, in the making.</summary>
internal abstract class FoldedOutput
{
    /// <summary>Writes it as nbformat does, names sorted.</summary>
    public abstract void Write(JsonText text);
}

/// <summary>Consecutive stream messages of one name.</summary>
internal sealed class StreamOutput(byte[] name, int bytesMax) : FoldedOutput
{
    public byte[] Name { get; } = name;

    public TerminalText Text { get; } = new(bytesMax);

    public override void Write(JsonText text)
    {
        text.StartObject();
        text.Name("name"u8);
        text.String(Name);
        text.Name("output_type"u8);
        text.String("stream"u8);
        text.Name("text"u8);
        text.Lines(Text.ToUtf8());
        text.EndObject();
    }
}

/// <summary>A display or a result. Those with a display id share their content with every other output of that id.</summary>
internal sealed class RichOutput(DisplayContent content, bool isResult, byte[] executionCount) : FoldedOutput
{
    public DisplayContent Content { get; } = content;

    public override void Write(JsonText text)
    {
        text.StartObject();
        text.Name("data"u8);
        MimeBundle.Write(Content.Bundle, text);
        if (isResult)
        {
            text.Name("execution_count"u8);
            text.Raw(executionCount);
        }

        text.Name("metadata"u8);
        text.Value(Content.Metadata);
        text.Name("output_type"u8);
        text.String(isResult ? "execute_result"u8 : "display_data"u8);
        text.EndObject();
    }
}

/// <summary>An error, with the kernel's own traceback lines.</summary>
internal sealed class ErrorOutput(byte[] name, byte[] value, byte[] traceback) : FoldedOutput
{
    public string Name => JsonStrings.ToText(name);

    public string Value => JsonStrings.ToText(value);

    public override void Write(JsonText text)
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
