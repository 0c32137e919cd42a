using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// Holds the processes of one attempt to a number of processors. 1. Where we may make a control group, the system gives them so much time,
/// to the hundredth of a processor. 2. Elsewhere they run on so many processors, whole ones, rounded up, chosen by the process's number so
/// that kernels do not all sit on the same; that is inherited, and holds for programs that do not choose for themselves. It never kills
/// anything.
/// </summary>
internal sealed unsafe class CpuLimit
{
    private const int MaskBytes = 1024; // 8,192 processors, the most that Linux is built for.

    private readonly long _millisMax;
    private readonly bool _isByGroup;

    public CpuLimit(ControlGroup? group, long millisMax)
    {
        _millisMax = millisMax;
        _isByGroup = group is not null && group.TryLimitCpu(millisMax);
    }

    /// <summary>Right after the spawn, when it has one thread.</summary>
    public void Apply(int pid, bool isInGroup)
    {
        if (isInGroup && _isByGroup)
        {
            return;
        }

        byte* mask = stackalloc byte[MaskBytes];
        var bits = new Span<byte>(mask, MaskBytes);
        bits.Clear();
        if (Posix.GetAffinity(0, MaskBytes, mask) == 0 && TryKeep(bits, (_millisMax + 999) / 1000, pid))
        {
            _ = Posix.SetAffinity(pid, MaskBytes, mask);
        }
    }

    /// <summary>
    /// Leaves so many of a mask's processors in it, beginning with one that <paramref name="turn"/> decides; false when it has no more than
    /// that.
    /// </summary>
    internal static bool TryKeep(Span<byte> mask, long count, int turn)
    {
        int all = 0;
        for (int cpu = 0; cpu < 8 * mask.Length; cpu++)
        {
            all += (mask[cpu / 8] >> (cpu % 8)) & 1;
        }

        if (count >= all)
        {
            return false;
        }

        int first = turn % all;
        int nth = 0;
        for (int cpu = 0; cpu < 8 * mask.Length; cpu++)
        {
            if (((mask[cpu / 8] >> (cpu % 8)) & 1) == 0)
            {
                continue;
            }

            if ((nth - first + all) % all >= count)
            {
                mask[cpu / 8] &= (byte)~(1 << (cpu % 8));
            }

            nth++;
        }

        return true;
    }
}
