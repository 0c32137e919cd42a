using System.Runtime.InteropServices;
using Holdfast.Protocol.Processes;
using Holdfast.Server.Cli.Screen;

namespace Holdfast.Server.Cli.Client;

/// <summary>
/// A process held by a pidfd that was opened first and proven afterwards: no signal can reach one that got the pid meanwhile.
/// </summary>
internal sealed partial class SignalTarget : IDisposable
{
    private const nint PidfdSendSignal = 424;
    private readonly int _pidfd;

    private SignalTarget(int pidfd) => _pidfd = pidfd;

    /// <summary>Null when that very process no longer lives.</summary>
    public static SignalTarget? Open(ProcessIdentity identity)
    {
        int pidfd = Libc.PidfdOpen(identity.Pid);
        if (pidfd < 0)
        {
            return null;
        }

        if (identity.IsAlive())
        {
            return new SignalTarget(pidfd);
        }

        _ = Libc.Close(pidfd);
        return null;
    }

    public void Terminate() => _ = Syscall(PidfdSendSignal, _pidfd, Libc.SigTerm, 0, 0);

    /// <summary>Blocks; false when the time is up.</summary>
    public bool WaitForEnd(int timeoutMs) => Tty.WaitReadable(_pidfd, timeoutMs);

    public void Dispose() => _ = Libc.Close(_pidfd);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, nint pidfd, nint signal, nint siginfo, nint flags);
}
