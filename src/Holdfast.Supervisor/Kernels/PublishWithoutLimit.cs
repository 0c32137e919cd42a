using Holdfast.Protocol.Jupyter;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// A kernel's publishing socket drops what it cannot send past libzmq's limit of 1000 messages, in silence: when our process gets no
/// processor for a moment
/// while a cell publishes in a loop, thousands are gone (60,000 small displays on a busy machine with two cores lost 8,000). No option of
/// ours reaches that
/// socket, so ipykernel is asked, by a silent request before all others, to lift the limit on it. It leaves no name, no history and no
/// count behind.
/// Other kernels keep their limit.
/// </summary>
internal static class PublishWithoutLimit
{
    // In the thread that owns the socket; existing connections follow the option since libzmq 4.2. Where ipykernel looks different one day
    // nothing happens.
    private const string Code =
        "(lambda t: t and t.schedule(lambda: setattr(t.socket, 'sndhwm', 0)))("
        + "getattr(__import__('ipykernel.kernelapp', fromlist=['IPKernelApp']).IPKernelApp.instance(), 'iopub_thread', None))";

    /// <summary>Whether a kernel_info_reply is that of a kernel which understands the request.</summary>
    public static bool IsFor(ReadOnlySpan<byte> kernelInfo) => JupyterJson.IsText(kernelInfo, "implementation"u8, "ipython"u8);

    /// <summary>The content of the execute_request.</summary>
    public static byte[] Content() => JupyterEnvelope.ExecuteContent(Code, silent: true, storeHistory: false, stopOnError: false);
}
