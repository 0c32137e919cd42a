using System.Collections.Concurrent;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.Soak.Mischief;

/// <summary>Who was killed, noted before it is: what they held may be lost, and nothing else.</summary>
internal sealed class Victims(TestServer server)
{
    public const string BySupervisor = "its supervisor was killed";
    public const string ByKernel = "its kernel was killed";
    public const string ByStart = "its kernel did not start in time";

    private readonly ConcurrentDictionary<ProcessIdentity, bool> _supervisors = new();
    private readonly ConcurrentDictionary<string, bool> _kernels = new(); // Their attempts.
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(5);

    private int _kernelHits;
    private long _lastHit;

    /// <summary>How many kernels were killed, or lost their supervisor.</summary>
    public int KernelHits => _kernelHits;

    /// <summary>A kernel was hit just now: work may have been given to it before anybody noticed.</summary>
    public bool IsKernelHitFresh => Volatile.Read(ref _lastHit) is var hit and not 0 && TimeProvider.System.GetElapsedTime(hit) < Aftermath;

    public void NoteSupervisor(HouseProcess supervisor)
    {
        _supervisors[supervisor.Identity] = true;
        if (IsKernels(supervisor))
        {
            HitKernel();
        }
    }

    public void NoteKernel(string attempt)
    {
        _kernels[attempt] = true;
        HitKernel();
    }

    private void HitKernel()
    {
        Volatile.Write(ref _lastHit, TimeProvider.System.GetTimestamp());
        Interlocked.Increment(ref _kernelHits);
    }

    /// <summary>Why what an attempt held may be lost; null when it may not.</summary>
    public string? CauseOf(string attempt) => CauseOf(new AttemptFiles(Path.Combine(server.Data, "attempts", attempt)));

    public string? CauseOf(AttemptFiles attempt)
    {
        if (_kernels.ContainsKey(Path.GetFileName(attempt.Directory)))
        {
            return ByKernel;
        }

        try
        {
            return _supervisors.ContainsKey(SupervisorRecord.Read(File.ReadAllBytes(attempt.Supervisor)).Process) ? BySupervisor : null;
        }
        catch (Exception e) when (e is IOException or AttemptFormatException)
        {
            return null;
        }
    }

    /// <summary>Of a job, whichever of its attempts it was.</summary>
    public string? CauseOfJob(string execution) =>
        server.AttemptsByExecution().GetValueOrDefault(execution, []).Select(CauseOf).FirstOrDefault(static c => c is not null);

    /// <summary>
    /// A kernel's supervisor never holds another attempt than the one it was started for; a job's first may be long gone.
    /// </summary>
    public static bool IsKernels(HouseProcess supervisor)
    {
        try
        {
            string folder = supervisor.CommandLine.Trim().Split(' ')[^1];
            return AttemptSpec.Read(File.ReadAllBytes(new AttemptFiles(folder).Spec)).Kind == AttemptSpec.KindKernel;
        }
        catch (Exception e) when (e is IOException or AttemptFormatException)
        {
            return false;
        }
    }
}
