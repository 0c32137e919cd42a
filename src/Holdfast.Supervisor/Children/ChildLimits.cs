using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// What one child and its descendants may use of memory and processor, and the evidence when it dies for lack of memory, its own limit's or
/// the machine's. Made before the child is, since the counts of such deaths are compared from then on.
/// </summary>
internal sealed class ChildLimits : IDisposable
{
    private readonly ControlGroup? _group;
    private readonly MemoryLimit? _memory;
    private readonly CpuLimit? _cpu;
    private readonly OomWatch _oomWatch;

    /// <param name="memoryExceeded">Called once, when we and not the system found that it uses more than it may.</param>
    public ChildLimits(PollLoop loop, AttemptSpec spec, LoopCallback memoryExceeded)
    {
        _group =
            spec.MemoryBytesMax > 0 || spec.CpuMillisMax > 0 ? ControlGroup.TryMake("/", spec.Attempt, ControlGroup.IsDelegated) : null;
        _memory = spec.MemoryBytesMax > 0 ? new MemoryLimit(loop, _group, spec.MemoryBytesMax, memoryExceeded) : null;
        _cpu = spec.CpuMillisMax > 0 ? new CpuLimit(_group, spec.CpuMillisMax) : null;
        _oomWatch = new OomWatch("/", _memory?.EventsFile);
    }

    /// <summary>A sentence for the record of a death that the limit on memory brought; null for any other.</summary>
    public string? Remark => _memory?.Remark;

    /// <summary>Right after the spawn.</summary>
    public void Apply(int pid)
    {
        bool isInGroup = _group is not null && _group.TryAdd(pid);
        _memory?.Apply(pid, isInGroup);
        _cpu?.Apply(pid, isInGroup);
    }

    /// <summary>The child has ended: nobody is looked after any more.</summary>
    public void Stop() => _memory?.Stop();

    /// <summary>
    /// What explains its death, when that was by a SIGKILL, its own or one that it passed on as a shell does, and nobody of ours sent it.
    /// </summary>
    public OomEvidence EvidenceOf(Child child)
    {
        bool mayBeOom = child.Status.Signal == Libc.SigKill || child.Status.ExitCode == 128 + Libc.SigKill;
        return mayBeOom && !child.WasKilled ? _oomWatch.Evidence(child.Process) : OomEvidence.None;
    }

    public void Dispose()
    {
        _memory?.Dispose();
        _group?.Remove();
    }
}
