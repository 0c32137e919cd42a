namespace Holdfast.Engine.Kernels;

/// <summary>
/// Reads along in a kernel's journal. Called on the kernel's one loop, in order; must neither wait nor keep slices of the message.
/// </summary>
internal interface IKernelListener
{
    void Take(in KernelMessage message);

    /// <summary>
    /// True when this large output is to be given whole. Otherwise <see cref="TakePiece"/> has its content, and <see cref="Take"/> at its
    /// end the header.
    /// </summary>
    bool WantsWhole(LargeMessage message);

    /// <summary>A piece of the content of large output, in order.</summary>
    void TakePiece(LargeMessage message, ReadOnlySpan<byte> content);
}
