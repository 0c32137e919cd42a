using Holdfast.Engine.Executions;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Knows from a kernel's journal whether it waits for input. A request is over when somebody's input_reply stands in the journal, or when
/// the request that asked is over by itself: it was interrupted. Written by one loop, read from anywhere.
/// </summary>
internal sealed class InputTracker
{
    private volatile PendingInput? _pending;

    public PendingInput? Pending => _pending;

    public void Take(in KernelMessage message, Func<string, ExecutionId?> executionOf)
    {
        if (message.Channel == JournalChannel.Stdin)
        {
            if (message.Message.MessageType == "input_request")
            {
                _pending = Read(message, executionOf);
            }
        }
        else if (_pending is { } pending && IsEnd(message, pending.RequestId))
        {
            _pending = null;
        }
    }

    public void End() => _pending = null;

    private static bool IsEnd(in KernelMessage message, string requestId) =>
        message.Channel switch
        {
            JournalChannel.StdinReply => true,
            JournalChannel.Shell => message.Message.ParentMessageId == requestId,
            JournalChannel.IoPub => message.Message.ParentMessageId == requestId
                && message.Message is { MessageType: "status", ExecutionState: "idle" },
            _ => false,
        };

    private static PendingInput Read(in KernelMessage message, Func<string, ExecutionId?> executionOf)
    {
        JupyterMessage request = message.Message;
        string parent = request.ParentMessageId;
        return new PendingInput(
            request.ToMultipart(),
            parent,
            JupyterJson.GetText(request.Content.Span, "prompt"u8) ?? "",
            JupyterJson.IsTrue(request.Content.Span, "password"u8),
            UnixTime.FromNanoseconds(message.UnixNanoseconds),
            executionOf(parent)
        )
        {
            Position = message.Position,
        };
    }
}
