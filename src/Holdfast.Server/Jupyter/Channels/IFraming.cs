using Holdfast.Engine.Kernels.Clients;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// What a client sent, as it goes on to the kernel: a multipart of header, parent, metadata, content, buffers. Channel is null for what no
/// client may send on.
/// </summary>
internal readonly record struct ClientRequest(KernelChannel? Channel, byte[] Multipart);

/// <summary>One of the two ways in which Jupyter's clients put messages into frames.</summary>
internal interface IFraming
{
    /// <summary>Throws <see cref="CloseException"/> when the message is not of this framing.</summary>
    ClientRequest Read(Opcode kind, ReadOnlyMemory<byte> message);

    void Plan(FramePlan plan, KernelChannel channel, MessageShape shape, ReadOnlySpan<byte> header);
}

/// <summary>The names of channels in both framings.</summary>
internal static class ChannelNames
{
    public static ReadOnlySpan<byte> Name(this KernelChannel channel) =>
        channel switch
        {
            KernelChannel.Shell => "shell"u8,
            KernelChannel.IoPub => "iopub"u8,
            KernelChannel.Stdin => "stdin"u8,
            _ => "control"u8,
        };

    /// <summary>A channel that a client may send on; null for any other.</summary>
    public static KernelChannel? Parse(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("shell"u8) ? KernelChannel.Shell
        : name.SequenceEqual("control"u8) ? KernelChannel.Control
        : name.SequenceEqual("stdin"u8) ? KernelChannel.Stdin
        : null;
}
