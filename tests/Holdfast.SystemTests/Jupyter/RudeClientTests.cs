using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jupyter;

/// <summary>The WebSocket door under whatever bytes somebody sends: every connection ends in order, and nobody else notices.</summary>
public sealed class RudeClientTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private const int Rounds = 40;
    private readonly Random _random = new(20261121);

    /// <summary>What a server may close with when it cannot take what it gets.</summary>
    private static readonly int[] Codes = [1002, 1003, 1007, 1008, 1009];

    [Fact]
    public async Task Whatever_is_sent_ends_in_a_clean_close()
    {
        string kernel = await KernelSocket.StartKernelAsync(shared.Server);
        using KernelSocket polite = await KernelSocket.OpenAsync(shared.Server, kernel, "polite");
        string before = await polite.ExecuteAsync("1");
        await polite.ReadUntilAsync(message => message.Type == "execute_reply" && message.ParentId == before);
        for (int round = 0; round < Rounds; round++)
        {
            foreach (
                byte[] sent in (byte[][])
                    [
                        Noise(200),
                        Frame(2, Noise(300)),
                        Frame(1, Noise(300)),
                        HugeLength(),
                        HalfFrame(),
                        OddV1(),
                        OddText(),
                        Fragments(),
                        Frame(9, Noise(200)),
                    ]
            )
            {
                await MustEndCleanlyAsync(kernel, sent, isV1: _random.Next(2) == 0);
            }
        }

        string after = await polite.ExecuteAsync("2");
        await polite.ReadUntilAsync(message => message.Type == "execute_reply" && message.ParentId == after);
    }

    /// <summary>
    /// Sends, says that nothing more will come, and reads to the end: frames that are whole, and a close with a code that says what was
    /// wrong if there is one.
    /// </summary>
    private async Task MustEndCleanlyAsync(string kernel, byte[] sent, bool isV1)
    {
        string what = $"{(isV1 ? "v1" : "legacy")} {Convert.ToHexString(sent.AsSpan(0, Math.Min(40, sent.Length)))}";
        using var limit = new CancellationTokenSource(Patience.Limit, TimeProvider.System);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(shared.Server.Rest.Url).Port, limit.Token);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"GET /api/kernels/{kernel}/channels HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {shared.Server.Rest.Token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {Convert.ToBase64String(RandomNumberGenerator.GetBytes(16))}\r\n"
                    + (isV1 ? "Sec-WebSocket-Protocol: v1.kernel.websocket.jupyter.org\r\n\r\n" : "\r\n")
            ),
            limit.Token
        );
        await ReadHeadAsync(stream, limit.Token);
        await stream.WriteAsync(sent, limit.Token);
        client.Client.Shutdown(SocketShutdown.Send);
        using var read = new MemoryStream();
        try
        {
            await stream.CopyToAsync(read, limit.Token);
        }
        catch (IOException e)
        {
            Assert.Fail($"{what} was ended by a reset: {e.Message}");
        }

        ReadOnlySpan<byte> left = read.ToArray();
        while (!left.IsEmpty)
        {
            int length =
                left[1] < 126 ? left[1]
                : left[1] == 126 ? BinaryPrimitives.ReadUInt16BigEndian(left[2..])
                : (int)BinaryPrimitives.ReadUInt64BigEndian(left[2..]);
            int head =
                left[1] < 126 ? 2
                : left[1] == 126 ? 4
                : 10;
            if (left[0] == 0x88 && length >= 2 && !IsEcho(sent))
            {
                Assert.True(
                    Codes.Contains(BinaryPrimitives.ReadUInt16BigEndian(left[head..])),
                    $"{what} was closed with {BinaryPrimitives.ReadUInt16BigEndian(left[head..])}"
                );
            }

            Assert.True(left.Length >= head + length, $"{what} was answered with half a frame.");
            left = left[(head + length)..];
        }
    }

    /// <summary>Noise can be a close frame, which is answered with what it says.</summary>
    private static bool IsEcho(byte[] sent) => sent[0] == 0x88;

    private static async Task ReadHeadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one, cancellationToken);
            head.Append((char)one[0]);
        }

        Assert.StartsWith("HTTP/1.1 101", head.ToString(), StringComparison.Ordinal);
    }

    private byte[] Noise(int max)
    {
        byte[] noise = new byte[_random.Next(1, max)];
        _random.NextBytes(noise);
        return noise;
    }

    private byte[] HugeLength() =>
        [
            0x82,
            0xFF,
            .. BigEndian((ulong)_random.NextInt64(1L << 28, long.MaxValue) | (_random.Next(2) == 0 ? 1UL << 63 : 0)),
            1,
            2,
            3,
            4,
            .. Noise(50),
        ];

    private byte[] HalfFrame()
    {
        byte[] whole = Frame((byte)_random.Next(1, 3), Noise(70_000));
        return whole[.._random.Next(1, whole.Length)];
    }

    /// <summary>Offsets that point anywhere.</summary>
    private byte[] OddV1()
    {
        byte[] message = new byte[8 * _random.Next(1, 12)];
        BinaryPrimitives.WriteInt64LittleEndian(message, _random.Next(4) == 0 ? _random.NextInt64() : _random.Next(12));
        for (int at = 8; at + 8 <= message.Length; at += 8)
        {
            BinaryPrimitives.WriteInt64LittleEndian(message.AsSpan(at), _random.Next(3) == 0 ? _random.NextInt64() : _random.Next(200));
        }

        return Frame(2, [.. message, .. Noise(100)]);
    }

    private byte[] OddText()
    {
        string[] texts =
        [
            "",
            "{",
            "[]",
            "1",
            "null",
            "{}",
            "{\"channel\":1}",
            "{\"header\":[]}",
            "{\"header\":{\"msg_id\":{}}}",
            "{\"channel\":\"heaven\",\"header\":{\"msg_id\":\"a\",\"msg_type\":\"b\"}}",
            "{\"header\":{\"msg_id\":\"a\"}}",
            "{\"channel\":\"iopub\"}",
            new string('[', 100_000),
            "{\"header\":" + new string('{', 2000),
            "{\"a\":1,\"a\":2,\"header\":\"\\ud800\"}",
            "{}{}",
        ];
        return Frame(1, Encoding.UTF8.GetBytes(texts[_random.Next(texts.Length)]));
    }

    /// <summary>A message that is begun, and begun again.</summary>
    private byte[] Fragments()
    {
        byte[] first = Frame(1, Noise(100)),
            second = Frame((byte)_random.Next(0, 3), Noise(100));
        first[0] &= 0x7F;
        return [.. first, .. second, .. Noise(20)];
    }

    private static byte[] BigEndian(ulong number)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        return bytes;
    }

    private byte[] Frame(byte opcode, byte[] payload)
    {
        byte[] mask = new byte[4];
        _random.NextBytes(mask);
        byte[] length =
            payload.Length < 126 ? [(byte)(0x80 | payload.Length)]
            : payload.Length <= ushort.MaxValue ? [0xFE, (byte)(payload.Length >> 8), (byte)payload.Length]
            : [0xFF, .. BigEndian((ulong)payload.Length)];
        return [(byte)(0x80 | opcode), .. length, .. mask, .. payload.Select((b, i) => (byte)(b ^ mask[i & 3]))];
    }
}
