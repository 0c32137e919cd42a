using System.Globalization;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// Holds the processes of one attempt to an amount of memory, all together.
/// 1. Where we may make a control group, the system does it. 2. Elsewhere we look, four times a second near the limit and once a second far
/// from it: resident sizes, which are cheap and count shared pages too often; past the limit the proportional ones, which are true. Whoever
/// is past it is to be killed. 3. So that nobody fills the machine between two looks, each process has RLIMIT_DATA at twice the limit and
/// some room: that counts what was asked for and never touched, so a tighter one would refuse honest programs.
/// </summary>
internal sealed unsafe class MemoryLimit : IDisposable
{
    private const int NearIntervalMs = 250;
    private const int FarIntervalMs = 1000;
    private const long Room = 1L << 30;
    private const int DataResource = 2; // RLIMIT_DATA

    private readonly long _bytesMax;
    private readonly ControlGroup? _group; // Null where it does not hold this limit.
    private readonly LoopCallback _exceeded;
    private readonly LoopTimer _timer;

    /// <param name="exceeded">Called once, when the processes together use more than they may.</param>
    public MemoryLimit(PollLoop loop, ControlGroup? group, long bytesMax, LoopCallback exceeded)
    {
        _bytesMax = bytesMax;
        _exceeded = exceeded;
        _group = group is not null && group.TryLimitMemory(bytesMax) ? group : null;
        _timer = loop.AddTimer(Look);
    }

    /// <summary>The group's file of events; null without a group.</summary>
    public string? EventsFile => _group?.EventsFile;

    /// <summary>What was in use when the limit was passed; 0 when it was not, or when the system saw to it.</summary>
    public long ExceededAt { get; private set; }

    /// <summary>A sentence for the record of a death that this limit brought; null for any other.</summary>
    public string? Remark => ExceededAt > 0 ? $"Its processes used {Size(ExceededAt)}; its limit is {Size(_bytesMax)}." : null;

    public string Limit => Size(_bytesMax);

    /// <summary>Right after the spawn.</summary>
    public void Apply(int pid, bool isInGroup)
    {
        if (isInGroup && _group is not null)
        {
            return;
        }

        ulong* both = stackalloc ulong[2];
        both[0] = both[1] = (ulong)((2 * _bytesMax) + Room);
        _ = Posix.SetResourceLimit(pid, DataResource, both, null);
        _timer.Start(NearIntervalMs);
    }

    public void Stop() => _timer.Stop();

    public void Dispose() => _timer.Remove();

    private void Look()
    {
        List<Descendant> all = ProcessTree.Find();
        long resident = 0;
        foreach (Descendant one in all)
        {
            resident += Bytes(one.Pid, "status", "VmRSS:"u8);
        }

        if (resident > _bytesMax)
        {
            long proportional = 0;
            foreach (Descendant one in all)
            {
                proportional += Bytes(one.Pid, "smaps_rollup", "Pss:"u8);
            }

            if (proportional > _bytesMax)
            {
                ExceededAt = proportional;
                _exceeded();
                return;
            }
        }

        _timer.Start(resident > _bytesMax / 2 ? NearIntervalMs : FarIntervalMs);
    }

    /// <summary>A size of proc(5), which are in kB; 0 for a process that is gone.</summary>
    private static long Bytes(int pid, string file, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> content = RawFile.Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{file}"));
        int at = content.IndexOf(name);
        if (at < 0)
        {
            return 0;
        }

        content = content[(at + name.Length)..].TrimStart(" \t"u8);
        return System.Buffers.Text.Utf8Parser.TryParse(content, out long kilobytes, out _) ? kilobytes * 1024 : 0;
    }

    internal static string Size(long bytes) =>
        bytes >= 1L << 30
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.##} GiB")
            : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.#} MiB");
}
