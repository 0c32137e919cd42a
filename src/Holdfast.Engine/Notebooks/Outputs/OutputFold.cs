using System.Buffers;
using System.Buffers.Text;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Notebooks.Json;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>
/// Folds the messages of one execution, in the order of its journal, into a cell's outputs, count and times. Pure: the same messages give
/// the same outputs, however often the fold is written in between. It never closes: what threads print after idle with the old parent is
/// taken too. Clear rules and display ids are the Jupyter protocol's (jupyter_client, docs/messaging.rst). Not for several threads at once.
/// </summary>
public sealed class OutputFold
{
    /// <summary>
    /// What one stream output keeps at most; past it the middle is left out, and the output says so. The journal has everything. A notebook
    /// of more is one that no front end opens, and it would be held in memory several times over at each save.
    /// </summary>
    public const int DefaultStreamBytesMax = 16 * 1024 * 1024;

    /// <summary>
    /// A display or result whose message is larger is left out, and a line says so in its place: it cannot be cut like text.
    /// </summary>
    public const int DisplayBytesMax = 32 * 1024 * 1024;

    /// <summary>The same where large values are spooled on their way to assets: it is then in memory for a moment only.</summary>
    public const int SpooledDisplayBytesMax = 128 * 1024 * 1024;

    private const int ScratchBytesKept = 1 << 20;

    private static readonly byte[] WidgetViewType = System.Text.Encoding.UTF8.GetBytes(Kernels.Comms.WidgetState.ViewMimeType);

    private readonly DisplayRegistry _displays;
    private readonly int _streamBytesMax;
    private readonly OutputSpools? _spools;
    private readonly List<FoldedOutput> _outputs = [];
    private ArrayBufferWriter<byte> _scratch = new();
    private bool _clearsAtNextOutput;
    private Kernels.LargeMessage? _large; // Whose pieces come now, and of a stream its text.
    private LargeStream? _largeStream;

    internal OutputFold(DisplayRegistry displays, OutputSpools? spools)
        : this(displays, spools?.StreamBytesMax ?? DefaultStreamBytesMax) => _spools = spools;

    public OutputFold(DisplayRegistry displays, int streamBytesMax = DefaultStreamBytesMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(streamBytesMax, 64);
        _displays = displays;
        _streamBytesMax = streamBytesMax;
    }

    /// <summary>Grows with every change of what would be written, updates from other cells included.</summary>
    public long Version { get; private set; }

    public int OutputCount => _outputs.Count;

    /// <summary>Whether an output shows a widget, whose state is not in the output.</summary>
    public bool HasWidgetViews =>
        _outputs.Exists(static o => o is RichOutput { Content: var content } && content.Bundle.AsSpan().IndexOf(WidgetViewType) >= 0);

    public int? ExecutionCount { get; private set; }

    public ExecutionTimes Times { get; private set; }

    /// <summary>The kernel's idle for this execution has come: its outputs are complete, but for threads that print on.</summary>
    public bool IsIdle { get; private set; }

    /// <summary><c>ok</c>, <c>error</c> or <c>aborted</c> once the reply has come. Idle may come before it or after.</summary>
    public string? ReplyStatus { get; private set; }

    /// <summary>The error's name and value as the reply or the error output gives them.</summary>
    public string? ErrorName { get; private set; }

    public string? ErrorValue { get; private set; }

    /// <summary>Messages whose content is not what their type demands. They are in the journal and add nothing here.</summary>
    public int MalformedMessages { get; private set; }

    /// <summary>
    /// Takes one IOPub message whose parent is this execution. Types that show nothing (comms, debug events, unknown ones) are passed over.
    /// </summary>
    /// <param name="date">The header's date, as text.</param>
    /// <param name="content">The content frame, as the kernel sent it.</param>
    public void ApplyIoPub(string messageType, string? date, ReadOnlySpan<byte> content)
    {
        try
        {
            switch (messageType)
            {
                case "stream":
                    AddStream(content);
                    break;
                case "display_data":
                    AddDisplay(content, isResult: false);
                    break;
                case "execute_result":
                    AddDisplay(content, isResult: true);
                    break;
                case "update_display_data":
                    UpdateDisplay(content);
                    break;
                case "error":
                    AddError(content);
                    break;
                case "clear_output":
                    Clear(content);
                    break;
                case "execute_input":
                    Times = Times with { ExecuteInput = date };
                    TakeExecutionCount(content);
                    break;
                case "status":
                    TakeStatus(content, date);
                    break;
                default:
                    break;
            }
        }
        catch (JsonTextException)
        {
            MalformedMessages++;
        }
    }

    /// <summary>Whether this large output of an execution is to be given by <see cref="ApplyIoPub"/>; else by pieces.</summary>
    internal static bool TakesWhole(Kernels.LargeMessage message) =>
        message.Head.MessageType != "stream" && message.Length <= DisplayBytesMax;

    /// <summary>The same for this fold.</summary>
    internal bool Takes(Kernels.LargeMessage message) =>
        TakesWhole(message) || (_spools is not null && message.Head.MessageType != "stream" && message.Length <= SpooledDisplayBytesMax);

    /// <summary>Takes a piece of the content of a message that is not put together.</summary>
    internal void ApplyPiece(Kernels.LargeMessage message, ReadOnlySpan<byte> content)
    {
        if (!ReferenceEquals(_large, message))
        {
            (_large, _largeStream) = (message, message.Head.MessageType == "stream" ? new LargeStream() : null);
        }

        if (_largeStream is { } stream && stream.Add(content) is { IsEmpty: false } text)
        {
            StreamNamed(stream.Name).Append(text);
            Changed();
        }
    }

    /// <summary>The message came to its end. Of a display that was left out, a line is shown.</summary>
    internal void EndPieces(string messageType)
    {
        if (messageType is "display_data" or "execute_result")
        {
            string notice = string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"{{\"text/plain\":\"[holdfast: a display of {_large?.Length:N0} bytes is left out here; the journal of this execution has it]\"}}"
            );
            var shown = new DisplayContent(null);
            shown.Replace(System.Text.Encoding.UTF8.GetBytes(notice), "{}"u8.ToArray());
            BeforeOutput();
            _outputs.Add(new RichOutput(shown, messageType == "execute_result", CountJson()));
            Changed();
        }

        (_large, _largeStream) = (null, null);
    }

    /// <summary>Takes the execute_reply of this execution.</summary>
    public void ApplyReply(string? date, ReadOnlySpan<byte> content)
    {
        Times = Times with { ExecuteReply = date };
        Changed();
        try
        {
            TakeExecutionCount(content);
            ErrorName = MessageContent.Text(content, "ename"u8) ?? ErrorName;
            ErrorValue = MessageContent.Text(content, "evalue"u8) ?? ErrorValue;
            ReplyStatus = MessageContent.Text(content, "status"u8);
        }
        catch (JsonTextException)
        {
            MalformedMessages++;
        }
    }

    /// <summary>The outputs are no longer on show, as when the cell runs again: updates no longer come here.</summary>
    public void Discard() => ClearOutputs();

    /// <summary>The outputs as the JSON list that nbformat would write, on one line.</summary>
    public byte[] ToJson()
    {
        JsonText text = new(JsonLayout.Compact, 0);
        WriteOutputs(text, int.MaxValue);
        return text.ToArray();
    }

    /// <summary>The values that are too large for a notebook, and are not known to be kept elsewhere.</summary>
    internal List<LargeValue> Unkept(int inlineBytesMax) => [.. _outputs.SelectMany(output => output.Unkept(inlineBytesMax))];

    /// <summary>Where those are kept that are too large.</summary>
    internal List<AssetMark> Kept(int inlineBytesMax) => [.. _outputs.SelectMany(output => output.Kept(inlineBytesMax))];

    internal void WriteOutputs(JsonText text, int inlineBytesMax)
    {
        text.StartArray();
        foreach (FoldedOutput output in _outputs)
        {
            text.Element();
            output.Write(text, inlineBytesMax);
        }

        text.EndArray();
    }

    internal void Changed() => Version++;

    private void AddStream(ReadOnlySpan<byte> content)
    {
        ReadOnlySpan<byte> text = JsonStrings.ToUtf8(MessageContent.Required(content, "text"u8, '"'), _scratch);
        ReadOnlySpan<byte> quotedName = MessageContent.Required(content, "name"u8, '"');
        if (text.IsEmpty)
        {
            return;
        }

        ArrayBufferWriter<byte> name = new(16);
        JsonStrings.Decode(quotedName, name);
        StreamNamed(name.WrittenSpan).Append(text);
        Changed();
        if (_scratch.Capacity > ScratchBytesKept)
        {
            // One huge message must not leave its size behind for the rest of the execution.
            _scratch = new ArrayBufferWriter<byte>();
        }
    }

    /// <summary>The output at the end, if it is of this stream, else a new one.</summary>
    private StreamOutput StreamNamed(ReadOnlySpan<byte> name)
    {
        BeforeOutput();
        if (_outputs is not [.., StreamOutput stream] || !name.SequenceEqual(stream.Name))
        {
            stream = new StreamOutput(name.ToArray(), _streamBytesMax, _spools);
            _outputs.Add(stream);
        }

        return stream;
    }

    private byte[] CountJson() => ExecutionCount is { } number ? System.Text.Encoding.ASCII.GetBytes($"{number}") : "null"u8.ToArray();

    private void AddDisplay(ReadOnlySpan<byte> content, bool isResult)
    {
        byte[] bundle = BundleOf(content, out Dictionary<string, OutputSpool>? spooled);
        byte[] metadata = MessageContent.ObjectOrEmpty(content, "metadata"u8);
        if (isResult)
        {
            TakeExecutionCount(content);
        }

        BeforeOutput();
        DisplayContent shown;
        if (MessageContent.DisplayId(content) is { } displayId)
        {
            shown = _displays.Show(displayId, this, bundle, metadata, spooled);
        }
        else
        {
            shown = new DisplayContent(null);
            shown.Replace(bundle, metadata, spooled);
        }

        _outputs.Add(new RichOutput(shown, isResult, isResult ? CountJson() : []));
        Changed();
    }

    private void UpdateDisplay(ReadOnlySpan<byte> content)
    {
        if (MessageContent.DisplayId(content) is { } displayId)
        {
            byte[] bundle = BundleOf(content, out Dictionary<string, OutputSpool>? spooled);
            _ = _displays.Update(displayId, bundle, MessageContent.ObjectOrEmpty(content, "metadata"u8), spooled);
        }
        else
        {
            _ = MessageContent.Required(content, "data"u8, '{');
        }
    }

    private byte[] BundleOf(ReadOnlySpan<byte> content, out Dictionary<string, OutputSpool>? spooled)
    {
        spooled = null;
        byte[] bundle = MessageContent.Required(content, "data"u8, '{').ToArray();
        return _spools is null ? bundle : LargeBundle.Split(bundle, _spools, out spooled);
    }

    private void AddError(ReadOnlySpan<byte> content)
    {
        ErrorOutput error = new(
            MessageContent.Required(content, "ename"u8, '"').ToArray(),
            MessageContent.Required(content, "evalue"u8, '"').ToArray(),
            MessageContent.Required(content, "traceback"u8, '[').ToArray()
        );
        BeforeOutput();
        _outputs.Add(error);
        ErrorName = error.Name;
        ErrorValue = error.Value;
        Changed();
    }

    private void Clear(ReadOnlySpan<byte> content)
    {
        if (MessageContent.Member(content, "wait"u8).SequenceEqual("true"u8))
        {
            _clearsAtNextOutput = true;
            return;
        }

        ClearOutputs();
    }

    private void BeforeOutput()
    {
        if (_clearsAtNextOutput)
        {
            ClearOutputs();
        }
    }

    private void ClearOutputs()
    {
        _clearsAtNextOutput = false;
        foreach (FoldedOutput output in _outputs)
        {
            if (output is RichOutput { Content: var content })
            {
                _displays.Forget(content, this);
            }
        }

        _outputs.Clear();
        Changed();
    }

    private void TakeExecutionCount(ReadOnlySpan<byte> content)
    {
        ReadOnlySpan<byte> value = MessageContent.Member(content, "execution_count"u8);
        if (Utf8Parser.TryParse(value, out int count, out int length) && length == value.Length && count >= 0)
        {
            ExecutionCount = count;
            Changed();
        }
    }

    private void TakeStatus(ReadOnlySpan<byte> content, string? date)
    {
        switch (MessageContent.Text(content, "execution_state"u8))
        {
            case "busy":
                Times = Times with { Busy = date };
                Changed();
                break;
            case "idle":
                Times = Times with { Idle = date };
                IsIdle = true;
                Changed();
                break;
            default:
                break;
        }
    }
}
