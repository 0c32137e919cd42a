using System.Text;

namespace Holdfast.Supervisor.Kernels;

/// <summary>A request that waits for its turn at the kernel. The body is the unsigned multipart as the link brought it.</summary>
internal sealed class QueuedExecute(string messageId, string? group, bool stopOnError, ReadOnlyMemory<byte> body, string[]? after = null)
{
    public string MessageId { get; } = messageId;
    public byte[] MessageIdUtf8 { get; } = Encoding.UTF8.GetBytes(messageId);
    public string? Group { get; } = group;
    public bool StopOnError { get; } = stopOnError;
    public ReadOnlyMemory<byte> Body { get; } = body;

    /// <summary>What must have ended well before it may run; null when it is not one of a cascade.</summary>
    public string[]? After { get; } = after;
}
