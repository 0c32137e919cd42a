using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// What a kernel incarnation says of itself at its beginning: its session, and its kernel_info_reply, from which clients are answered while
/// it is busy. Written by one loop, read from anywhere.
/// </summary>
internal sealed class KernelIntroduction
{
    /// <summary>
    /// The supervisor asks for kernel_info before anything else is sent, so that it is answered within the first messages.
    /// </summary>
    private const long ScanBytesMax = 16L * 1024 * 1024;

    private volatile byte[]? _kernelInfo;
    private volatile string? _session;

    /// <summary>The content of the latest kernel_info_reply, JSON; null before the first.</summary>
    public byte[]? KernelInfo => _kernelInfo;

    /// <summary>The <c>header.session</c> of what the kernel sends; null before its first message.</summary>
    public string? Session => _session;

    /// <summary>For an incarnation whose journal is not read from its beginning: reads that.</summary>
    public void ReadBeginning(string journalDirectory, long end)
    {
        using JournalReader reader = JournalReader.Open(journalDirectory);
        var joiner = new PayloadJoiner(KernelLimits.MessageBytesMax);
        while (_kernelInfo is null && reader.Position < Math.Min(end, ScanBytesMax) && reader.TryRead(out JournalRecord record))
        {
            if (
                record.Channel is JournalChannel.IoPub or JournalChannel.Shell
                && joiner.Join(record, out ReadOnlyMemory<byte> payload) == PayloadState.Whole
                && JupyterMessage.TryParse(payload) is { } message
            )
            {
                Take(record.Channel, message);
            }
        }
    }

    public void Take(JournalChannel channel, JupyterMessage message)
    {
        if (
            _session is null
            && channel is JournalChannel.IoPub or JournalChannel.Shell
            && JupyterJson.GetText(message.HeaderJson.Span, "session"u8) is { Length: > 0 } session
        )
        {
            _session = session;
        }

        if (
            channel == JournalChannel.Shell
            && message.MessageType == "kernel_info_reply"
            && _kernelInfo.AsSpan() is var known
            && !message.Content.Span.SequenceEqual(known)
            && message.ReplyStatus is null or "ok"
        )
        {
            _kernelInfo = message.Content.ToArray();
        }
    }
}
