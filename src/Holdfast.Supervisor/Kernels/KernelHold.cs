using Holdfast.Protocol.Link;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>Makes an attempt that is a kernel into the work that supervises it.</summary>
internal static class KernelHold
{
    /// <summary>Refuses with a sentence where the machine lacks what kernels need; jobs do without it.</summary>
    public static AttemptWork Supervise(PollLoop loop, AttemptHold hold)
    {
        try
        {
            return new KernelWork(loop, hold);
        }
        catch (DllNotFoundException)
        {
            throw new HoldRefusedException(
                LinkCodes.NotSupported,
                "Kernels need libzmq.so.5, which is not installed (Debian: apt install libzmq5)."
            );
        }
    }
}
