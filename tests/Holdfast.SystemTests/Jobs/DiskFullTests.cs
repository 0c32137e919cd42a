using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jobs;

/// <summary>A data directory without room: refusals for what is new, patience for what runs.</summary>
public sealed class DiskFullTests
{
    [Fact]
    public async Task A_submit_is_refused_and_running_work_goes_on_and_is_complete_when_there_is_room()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { SmallDisk = "size=24m" });
        string gate = server.PathOf("gate");
        string id = await server.Rest.SubmitAsync($"echo begun; while [ ! -e '{gate}' ]; do sleep 0.02; done; seq 1 200000");
        await server.Rest.WaitForStateAsync(id, "running");
        await Patience.UntilAsync(async () => await server.Rest.OutputTextAsync(id) == "begun\n", "it had begun");
        string filler = Path.Combine(server.SeenData, "filler");
        Fill(filler);

        RestReply? refused = null;
        await Patience.UntilAsync(
            async () => (refused = await server.Rest.TrySubmitAsync(RestClient.Shell("echo " + new string('x', 4000)))).Status != 201,
            "the database could not grow"
        );
        Assert.Equal((507, "disk-full"), (refused!.Status, refused.Code));
        File.WriteAllText(gate, "");
        await Patience.UntilAsync(
            async () => (await server.Rest.ExecutionAsync(id)).Stalled is not null,
            "the job stood still for want of room"
        );
        Assert.Equal("running", (await server.Rest.ExecutionAsync(id)).State);

        File.Delete(filler);
        ExecutionReply end = await server.Rest.WaitAsync(id);
        Assert.Equal(("succeeded", 0), (end.State, end.ExitCode!.Value));
        Assert.Equal(
            "begun\n" + string.Concat(Enumerable.Range(1, 200_000).Select(static n => $"{n}\n")),
            await server.Rest.OutputTextAsync(id)
        );
        string after = await server.Rest.SubmitAsync("echo room");
        Assert.Equal("succeeded", (await server.Rest.WaitAsync(after)).State);
    }

    private static void Fill(string path)
    {
        using FileStream file = File.Create(path, bufferSize: 0);
        byte[] block = new byte[64 * 1024];
        foreach (int size in (int[])[block.Length, 4096])
        {
            try
            {
                while (true)
                {
                    file.Write(block, 0, size);
                }
            }
            catch (IOException)
            {
                // Full, to the block.
            }
        }
    }
}
