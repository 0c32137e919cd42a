using System.Diagnostics;
using System.Text.Json.Nodes;
using Holdfast.Bench.Measure;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>
/// A gibibyte of a job's output into the journal, against the same command piped into `cat > file`; then read back through REST.
/// </summary>
internal sealed class Output : IBench
{
    public string Name => "output";
    public string What => "1 GiB of job output: into the journal, and back through REST";

    public void Run(BenchRun run)
    {
        var capture = new Figure("into the journal, submit to the last byte in it", "MB/s", "| cat > file", Goal.RatioAtLeast(0.85));
        var known = new Figure("submit to the known exit, all of it synced", "MB/s", "| cat > file, fdatasync");
        var knownToUnsynced = new Figure("the same, against what syncs nothing", "MB/s", "| cat > file");
        var supervisorCpu = new Figure("supervisor CPU per GiB", "ms");
        var reading = new Figure("read back through REST", "MB/s", goal: Goal.AtLeast(500));
        var serverCpu = new Figure("server CPU per GiB read", "ms");
        var memory = new Figure("growth of the server's RSS while reading, peak", "MB", goal: Goal.AtMost(16));
        long bytes = run.Size(1 << 30, 1 << 24);
        double ofGib = bytes / (double)(1 << 30);
        using HoldfastServer server = HoldfastServer.Start(run);
        using RestConnection connection = server.Connect();
        string small = Capture(connection, 1 << 22);
        for (int i = 0; i < 3; i++)
        {
            ReadBack(connection, small, 1 << 22, isChecked: true);
        }

        for (int round = 0; round < run.Rounds; round++)
        {
            // Odd rounds the other way round: what is written first leaves its pages to the second.
            (TimeSpan Written, TimeSpan Synced) cat = round % 2 == 0 ? OutputSource.CatToFile(run.Sandbox, bytes) : default;
            OutputSource.Settle(run.Sandbox.Folder, bytes);
            int[] supervisors = [.. server.Supervisors()];
            TimeSpan cpu = ProcessCpu.Of(supervisors);
            DateTimeOffset submitted = TimeProvider.System.GetUtcNow();
            long start = Stopwatch.GetTimestamp();
            string id = Capture(connection, bytes);
            TimeSpan ended = Stopwatch.GetElapsedTime(start);
            supervisorCpu.Add((ProcessCpu.Of(supervisors) - cpu).TotalMilliseconds / ofGib);
            TimeSpan captured = NewestJournal.LastOutput(server.DataFolder) - submitted;
            cat = cat == default ? OutputSource.CatToFile(run.Sandbox, bytes) : cat;
            capture.Add(Rate(bytes, captured), Rate(bytes, cat.Written));
            known.Add(Rate(bytes, ended), Rate(bytes, cat.Synced));
            knownToUnsynced.Add(Rate(bytes, ended), Rate(bytes, cat.Written));

            OutputSource.Settle(run.Sandbox.Folder, bytes);
            ProcessMemory.ResetPeak(server.Pid);
            double before = ProcessMemory.ResidentMb(server.Pid);
            cpu = ProcessCpu.Of(server.Pid);
            reading.Add(Rate(bytes, ReadBack(connection, id, bytes, isChecked: false)));
            serverCpu.Add((ProcessCpu.Of(server.Pid) - cpu).TotalMilliseconds / ofGib);
            memory.Add(ProcessMemory.PeakMb(server.Pid) - before);
            _ = ReadBack(connection, id, bytes, isChecked: true);
        }

        run.Report.Add(capture, known, knownToUnsynced, supervisorCpu, reading, serverCpu, memory);
    }

    private static string Capture(RestConnection connection, long bytes)
    {
        string id = connection.Submit(new JsonObject { ["argv"] = new JsonArray("sh", "-c", OutputSource.Command(bytes)) }.ToJsonString());
        _ = connection.WaitSucceeded(id);
        return id;
    }

    private static TimeSpan ReadBack(RestConnection connection, string id, long bytes, bool isChecked)
    {
        long offset = 0;
        bool isRight = true;
        long start = Stopwatch.GetTimestamp();
        long length = connection.GetThrough(
            $"/v1/executions/{id}/output?stream=stdout",
            span =>
            {
                isRight = isRight && (!isChecked || OutputSource.IsAt(offset, span));
                offset += span.Length;
            }
        );
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        return length == bytes && isRight
            ? elapsed
            : throw new IOException(
                $"What was read back is not what was written: {length} of {bytes} bytes, content {(isRight ? "right" : "WRONG")}."
            );
    }

    private static double Rate(long bytes, TimeSpan elapsed) => bytes / 1e6 / elapsed.TotalSeconds;
}
