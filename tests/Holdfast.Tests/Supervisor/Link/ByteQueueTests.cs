using Holdfast.Supervisor.Link;

namespace Holdfast.Tests.Supervisor.Link;

public sealed class ByteQueueTests
{
    [Fact]
    public void What_goes_in_comes_out_in_order_however_it_is_cut()
    {
        var random = new Random(7);
        var queue = new ByteQueue();
        int next = 0,
            expected = 0;
        for (int turn = 0; turn < 2000; turn++)
        {
            int count = random.Next(0, 300);
            Span<byte> room = queue.GetSpan(count);
            for (int i = 0; i < count; i++)
            {
                room[i] = (byte)next++;
            }

            queue.Advance(count);
            int taken = random.Next(0, queue.Length + 1);
            ReadOnlySpan<byte> content = queue.Content.Span;
            for (int i = 0; i < taken; i++)
            {
                Assert.Equal((byte)expected++, content[i]);
            }

            queue.Take(taken);
            Assert.Equal(next - expected, queue.Length);
        }
    }

    [Fact]
    public void A_large_buffer_is_let_go_when_it_is_empty()
    {
        var queue = new ByteQueue();
        queue.GetSpan(1_000_000);
        queue.Advance(1_000_000);
        queue.Take(1_000_000);

        Assert.InRange(queue.GetMemory(1).Length, 1, 64 * 1024);
    }
}
