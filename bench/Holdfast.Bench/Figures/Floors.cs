using Holdfast.Bench.Measure;
using Holdfast.Bench.Report;

namespace Holdfast.Bench.Figures;

/// <summary>What this machine can do at all; nothing of ours is in it.</summary>
internal sealed class Floors : IBench
{
    public string Name => "floors";
    public string What => "what this machine can do at all";

    public void Run(BenchRun run)
    {
        var sync = new Figure("4 KiB in place and fdatasync, p50", "ms");
        var syncRate = new Figure("the same, mean rate of one caller", "/s");
        var append = new Figure("200 bytes at the end and fdatasync, p50", "ms");
        var spawn = new Figure("posix_spawn of true and wait, p50", "ms");
        var cat = new Figure("1 GiB through | cat > file", "MB/s");
        long bytes = run.Size(1 << 30, 1 << 24);
        for (int round = 0; round < run.Rounds; round++)
        {
            Percentiles syncs = SyncFloor.InPlace(run.Sandbox.Folder, run.Size(2000, 100));
            sync.Add(syncs.Median);
            syncRate.Add(1000 / syncs.Mean);
            append.Add(SyncFloor.AtEnd(run.Sandbox.Folder, run.Size(2000, 100)).Median);
            spawn.Add(SpawnFloor.Run(run.Sandbox, run.Size(500, 20)).Median);
            cat.Add(bytes / 1e6 / OutputSource.CatToFile(run.Sandbox, bytes).Written.TotalSeconds);
        }

        run.Report.Add(sync, syncRate, append, spawn, cat);
    }
}
