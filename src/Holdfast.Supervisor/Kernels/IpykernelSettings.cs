using Holdfast.Protocol.Jupyter;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// What ipykernel is asked by a silent request before all others, which leaves no name, no history and no count behind. Other kernels are
/// left as they are; where ipykernel looks different one day nothing happens.
/// </summary>
/// <remarks>
/// 1. To publish without limit. A publishing socket drops what it cannot send past libzmq's limit of 1000 messages, in silence: when our
///    process gets no processor for a moment while a cell publishes in a loop, thousands are gone (60,000 small displays on a busy machine
///    with two cores lost 8,000). No option of ours reaches that socket.
/// 2. Not to sleep before each reply. It does so for half a millisecond, for clients that hear nothing more once they have the reply.
///    Here a request is over with its reply and its idle, and the idle follows the output on one socket; so the sleep protects nothing, and
///    was a seventh of a small cell's time.
/// 3. To write IPython's own history, a file that all of a user's kernels share, sixteen inputs at a time and at its end. Each write
///    syncs it some times, and the next cell waits for that: half of a small cell's time. Whoever asks a kernel for its history has it
///    whole: it writes first. Where the user has set another number that stays.
/// </remarks>
internal static class IpykernelSettings
{
    // The socket's in the thread that owns it; existing connections follow the option since libzmq 4.2.
    private const string Code =
        "(lambda a: ("
        + "(lambda t: t and t.schedule(lambda: setattr(t.socket, 'sndhwm', 0)))(getattr(a, 'iopub_thread', None)), "
        + "(lambda k: hasattr(k, '_execute_sleep') and setattr(k, '_execute_sleep', 0))(getattr(a, 'kernel', None)), "
        + "(lambda h: getattr(h, 'db_cache_size', 1) == 0 and setattr(h, 'db_cache_size', 16))(getattr(getattr(a, 'shell', None), 'history_manager', None))"
        + "))(__import__('ipykernel.kernelapp', fromlist=['IPKernelApp']).IPKernelApp.instance())";

    /// <summary>Whether a kernel_info_reply is that of a kernel which understands the request.</summary>
    public static bool IsFor(ReadOnlySpan<byte> kernelInfo) => JupyterJson.IsText(kernelInfo, "implementation"u8, "ipython"u8);

    /// <summary>The content of the execute_request.</summary>
    public static byte[] Content() => JupyterEnvelope.ExecuteContent(Code, silent: true, storeHistory: false, stopOnError: false);
}
