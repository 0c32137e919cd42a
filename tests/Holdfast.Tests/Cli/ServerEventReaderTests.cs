using System.Text;
using Holdfast.Server.Cli.Client;

namespace Holdfast.Tests.Cli;

public sealed class ServerEventReaderTests
{
    private const string Sample =
        "retry: 1000\n\n: alive\n\nid: 5\ndata: aGVsbG8=\n\nevent: end\r\nid: 9\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata: unfinished\n";

    /// <summary>Goal: no cut of the stream shows. Method: pieces of random sizes, by seed.</summary>
    [Fact]
    public async Task Events_are_the_same_however_the_stream_is_cut()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            using var stream = new PiecewiseStream(Encoding.UTF8.GetBytes(Sample), new Random(seed));

            Assert.Equal([("message", "5", "aGVsbG8="), ("end", "9", "{\"a\":\n1}")], await ReadAllAsync(stream));
        }
    }

    [Fact]
    public async Task An_event_larger_than_the_buffer_is_whole()
    {
        string large = new('x', 300_000);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes($"data:{large}\n\n"));
        using var reader = new ServerEventReader(stream, TimeProvider.System, TimeSpan.FromMinutes(1));

        Assert.Equal(large, (await reader.ReadAsync(TestContext.Current.CancellationToken))!.Value.DataText);
    }

    [Fact]
    public async Task Silence_beyond_the_limit_is_a_broken_connection()
    {
        var silent = new System.IO.Pipelines.Pipe();
        using var reader = new ServerEventReader(silent.Reader.AsStream(), TimeProvider.System, TimeSpan.FromMilliseconds(1));

        _ = await Assert.ThrowsAsync<TimeoutException>(async () => await reader.ReadAsync(TestContext.Current.CancellationToken));
    }

    private static async Task<List<(string, string?, string)>> ReadAllAsync(Stream stream)
    {
        using var reader = new ServerEventReader(stream, TimeProvider.System, TimeSpan.FromMinutes(1));
        var events = new List<(string, string?, string)>();
        while (await reader.ReadAsync(CancellationToken.None) is { } next)
        {
            events.Add((next.Name, next.Id, next.DataText));
        }

        return events;
    }

    private sealed class PiecewiseStream(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, random.Next(1, 12))], cancellationToken);
    }
}
