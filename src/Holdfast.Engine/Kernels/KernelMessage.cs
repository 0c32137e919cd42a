using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// One whole Jupyter message out of a kernel's journal, with where and when it was written. Valid until the next one is read: its frames
/// are slices of the reader's buffer.
/// </summary>
public readonly record struct KernelMessage(
    JournalChannel Channel,
    JupyterMessage Message,
    long UnixNanoseconds,
    long Position,
    long NextPosition
)
{
    /// <summary>Only its header, parent and metadata were put together: it is large output, and nobody here wants it.</summary>
    public bool IsPartial { get; init; }

    /// <summary>Of a partial one: what a terminal would show of it, in bytes.</summary>
    public long SaidBytes { get; init; }
}
