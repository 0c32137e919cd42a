using Holdfast.Engine.Executions;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// A kernel's input_request that nobody has answered. Multipart is the message as the journal has it, for clients that come later. Since is
/// in microseconds since 1970; the execution is the one that asks, if it is known.
/// </summary>
public sealed record PendingInput(
    ReadOnlyMemory<byte> Multipart,
    string RequestId,
    string Prompt,
    bool IsPassword,
    long Since,
    ExecutionId? ExecutionId
)
{
    /// <summary>Where the request stands in the journal.</summary>
    public long Position { get; init; }

    /// <summary>The header of the input_request: the parent of whatever answers it.</summary>
    public ReadOnlyMemory<byte> HeaderJson => JupyterMessage.TryParse(Multipart)?.HeaderJson ?? default;
}
