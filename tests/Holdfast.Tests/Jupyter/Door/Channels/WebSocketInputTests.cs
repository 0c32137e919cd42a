using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Holdfast.Server.Jupyter.Channels;

namespace Holdfast.Tests.Jupyter.Door.Channels;

public class WebSocketInputTests
{
    private const int Limit = 100_000;

    [Fact]
    public async Task Fragments_are_joined_and_a_ping_between_them_leaves_them_alone()
    {
        var input = new WebSocketInput(new MemoryStream([.. Frame(0x01, "Hel"u8), .. Frame(0x89, "p"u8), .. Frame(0x80, "lo"u8)]), Limit);

        Assert.Equal(Opcode.Ping, await input.ReadAsync(CancellationToken.None));
        Assert.Equal("p", Encoding.UTF8.GetString(input.ControlPayload));
        Assert.Equal(Opcode.Text, await input.ReadAsync(CancellationToken.None));
        Assert.Equal("Hello", Encoding.UTF8.GetString(input.Message.Span));
        Assert.Null(await input.ReadAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData("8105", CloseCode.ProtocolError)] // Not masked.
    [InlineData("c18000000000", CloseCode.ProtocolError)] // A reserved bit.
    [InlineData("838000000000", CloseCode.ProtocolError)] // An unknown kind.
    [InlineData("808000000000", CloseCode.ProtocolError)] // Continues nothing.
    [InlineData("098000000000", CloseCode.ProtocolError)] // A ping in fragments.
    [InlineData("89fe00800000000000", CloseCode.ProtocolError)] // A ping that is too long.
    [InlineData("82ff7fffffffffffffff00000000", CloseCode.TooBig)]
    [InlineData("82ffffffffffffffffff00000000", CloseCode.TooBig)]
    [InlineData("818100000000ff", CloseCode.InvalidPayload)] // No UTF-8.
    public async Task What_breaks_the_rules_has_its_close_code(string hex, int code)
    {
        var input = new WebSocketInput(new MemoryStream(Convert.FromHexString(hex)), Limit);

        Assert.Equal(code, (await Assert.ThrowsAsync<CloseException>(async () => await input.ReadAsync(CancellationToken.None))).Code);
    }

    [Fact]
    public void Whole_messages_arrive_however_they_are_cut_and_split() =>
        Prop.ForAll<byte[], byte>(
                (message, bite) =>
                {
                    byte[] sent = [.. Enumerable.Range(0, 400).SelectMany(_ => message).Take(Limit)];
                    int cut = sent.Length * bite / 256;
                    var input = new WebSocketInput(
                        new BitingStream([.. Frame(0x02, sent.AsSpan(0, cut)), .. Frame(0x80, sent.AsSpan(cut))], bite + 1),
                        Limit
                    );
                    return Read(input) == Opcode.Binary && input.Message.Span.SequenceEqual(sent);
                }
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Random_bytes_end_in_a_close_and_never_in_another_exception() =>
        Prop.ForAll<byte[]>(bytes =>
            {
                foreach (byte first in (byte[])[0x82, 0x81, 0x01, 0x88, 0xFF])
                {
                    var input = new WebSocketInput(new BitingStream([first, .. bytes], 3), Limit);
                    try
                    {
                        while (Read(input) is not null) { }
                    }
                    catch (CloseException) { }
                }

                return true;
            })
            .QuickCheckThrowOnFailure();

#pragma warning disable VSTHRD002 // A property is not async, and these streams never wait.
    private static Opcode? Read(WebSocketInput input) => input.ReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002

    private static byte[] Frame(byte first, ReadOnlySpan<byte> payload)
    {
        byte[] mask = [0x12, 0x34, 0x56, 0x78];
        byte[] length =
            payload.Length < 126 ? [(byte)(0x80 | payload.Length)]
            : payload.Length <= ushort.MaxValue ? [0xFE, (byte)(payload.Length >> 8), (byte)payload.Length]
            :
            [
                0xFF,
                0,
                0,
                0,
                0,
                (byte)(payload.Length >> 24),
                (byte)(payload.Length >> 16),
                (byte)(payload.Length >> 8),
                (byte)payload.Length,
            ];
        byte[] masked = payload.ToArray();
        for (int i = 0; i < masked.Length; i++)
        {
            masked[i] ^= mask[i & 3];
        }

        return [first, .. length, .. mask, .. masked];
    }

    /// <summary>Gives a few bytes at a time, as networks do.</summary>
    private sealed class BitingStream(byte[] bytes, int bite) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, bite)], cancellationToken);
    }
}
