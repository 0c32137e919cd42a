namespace Holdfast.Engine.Kernels;

/// <summary>Reads along in a kernel's journal. Called on the kernel's one loop, in order; must neither wait nor keep slices of the message.</summary>
internal interface IKernelListener
{
    void Take(in KernelMessage message);

    /// <summary>True when large output of this request is to be given whole, and not only its header.</summary>
    bool WantsWhole(string requestId);
}
