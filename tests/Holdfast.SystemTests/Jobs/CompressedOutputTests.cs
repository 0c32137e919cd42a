using System.Security.Cryptography;
using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jobs;

/// <summary>Output that was compressed, read through the doors as if nothing had been done to it.</summary>
public sealed class CompressedOutputTests
{
    private const int LineBytes = 32;
    private const int Lines = 2_500_000;

    /// <summary>
    /// Goal: closed segments of a job that runs, and all of one that has ended, are compressed, and no reader is told. Method: 80 MB, of
    /// which 64 MiB are closed while it still runs; every way of reading, a restart, and the size on the disk.
    /// </summary>
    [Fact]
    public async Task What_a_job_says_is_compressed_while_it_runs_and_after_and_reads_the_same_by_offset()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { Arguments = ["--compress-after", "1ms"] });
        string gate = server.PathOf("gate");
        string id = await server.Rest.SubmitAsync(
            $"seq -f 'step %26.0f' 1 {Lines}; while [ ! -e '{gate}' ]; do sleep 0.02; done; echo end"
        );
        await server.Rest.WaitForStateAsync(id, "running");
        AttemptFiles files = server.AttemptsOf(id).Single();
        await Patience.UntilAsync(() => IsPacked(files, 0), "its first segment was compressed while it ran");
        Assert.Equal("running", (await server.Rest.ExecutionAsync(id)).State);
        long[] segments = JournalFormat.ListSegments(files.Journal);
        Assert.Equal(2, segments.Length);
        Assert.False(IsPacked(files, segments[1]));

        await CheckAsync(40_000_000);
        await server.RestartAsync(); // Adopted with a packed journal.
        long last = (long)(Lines - 3) * LineBytes; // In its second segment, whenever it is written.
        await Patience.UntilAsync(
            async () => await server.Rest.OutputAsync(id, "stdout", last, LineBytes * 3) is { Status: 200, Body.Length: LineBytes * 3 },
            "it had said the most"
        );
        await CheckAsync(67_000_000 / LineBytes * LineBytes);
        File.WriteAllText(gate, "");
        ExecutionReply end = await server.Rest.WaitAsync(id);
        Assert.Equal(("succeeded", ((long)Lines * LineBytes) + 4), (end.State, end.OutputBytes!.Value));
        await Patience.UntilAsync(() => IsPacked(files, segments[1]), "the rest was compressed after its end");

        Assert.True(Directory.GetFiles(files.Journal, "*.hfj").Sum(static f => new FileInfo(f).Length) < (long)Lines * LineBytes / 4);
        await CheckAsync(0);
        await CheckAsync(40_000_000);
        Assert.Equal("end\n", (await server.Rest.OutputAsync(id, offset: (long)Lines * LineBytes)).Must(200).Text);
        byte[] all = Encoding.ASCII.GetBytes((await server.Rest.OutputAsync(id)).Must(200).Text);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(Expected())), Convert.ToHexString(SHA256.HashData(all)));
        Assert.Contains("holdfast_journal_compressed_total 1", (await server.Rest.GetAsync("/metrics")).Text, StringComparison.Ordinal);

        async Task CheckAsync(long offset)
        {
            RestReply read = (await server.Rest.OutputAsync(id, "stdout", offset, LineBytes * 3)).Must(200);
            Assert.Equal(
                string.Concat(Enumerable.Range((int)(offset / LineBytes) + 1, 3).Select(static n => $"step {n, 26}\n")),
                read.Text
            );
        }
    }

    private static byte[] Expected()
    {
        var text = new StringBuilder(Lines * LineBytes);
        for (int n = 1; n <= Lines; n++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"step {n, 26}\n");
        }

        return Encoding.ASCII.GetBytes(text.Append("end\n").ToString());
    }

    private static bool IsPacked(AttemptFiles files, long segment)
    {
        if (!File.Exists(JournalFormat.SegmentPath(files.Journal, segment)))
        {
            return false;
        }

        using SegmentFile file = SegmentFile.Open(files.Journal, segment);
        return file.IsPacked;
    }
}
