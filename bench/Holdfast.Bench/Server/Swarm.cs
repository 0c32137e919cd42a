using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Holdfast.Bench.Measure;
using Holdfast.Protocol.Processes;

namespace Holdfast.Bench.Server;

/// <summary>
/// Many callers at once, each sending the same request again as soon as it has its answer: one thread, one poll, two system calls per
/// request, so that the server and not the load takes the machine.
/// </summary>
internal sealed unsafe class Swarm : IDisposable
{
    private const int AnswerBytesMax = 8192;

    private readonly List<Socket> _sockets = [];
    private readonly Native.PollEntry[] _entries;
    private readonly byte[][] _answers;
    private readonly int[] _filled;
    private readonly long[] _sentAt;

    public Swarm(IPEndPoint server, int callers)
    {
        for (int i = 0; i < callers; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Connect(server);
            socket.Blocking = false;
            _sockets.Add(socket);
        }

        _entries = [.. _sockets.Select(s => new Native.PollEntry { Descriptor = (int)s.Handle, Wanted = Native.PollIn })];
        _answers = [.. _sockets.Select(_ => new byte[AnswerBytesMax])];
        _filled = new int[callers];
        _sentAt = new long[callers];
    }

    public void Dispose() => _sockets.ForEach(s => s.Dispose());

    /// <summary>
    /// Sends a request so many times in all, each to be answered with 201; gives the time each took, and the time all took.
    /// </summary>
    public (TimeSpan Elapsed, List<TimeSpan> Times) Run(byte[] request, int total)
    {
        var times = new List<TimeSpan>(total);
        int sent = 0;
        long start = Stopwatch.GetTimestamp();
        for (int caller = 0; caller < _entries.Length && sent < total; caller++, sent++)
        {
            Send(caller, request);
        }

        fixed (Native.PollEntry* entries = _entries)
        {
            while (times.Count < total)
            {
                if (Native.Poll(entries, (nuint)_entries.Length, 30_000) <= 0)
                {
                    throw new IOException($"No answer for 30 s, after {times.Count} of {total}.");
                }

                for (int caller = 0; caller < _entries.Length; caller++)
                {
                    if (entries[caller].Seen != 0 && Receive(caller))
                    {
                        times.Add(Stopwatch.GetElapsedTime(_sentAt[caller]));
                        if (sent < total)
                        {
                            sent++;
                            Send(caller, request);
                        }
                    }
                }
            }
        }

        return (Stopwatch.GetElapsedTime(start), times);
    }

    private void Send(int caller, byte[] request)
    {
        _filled[caller] = 0;
        _sentAt[caller] = Stopwatch.GetTimestamp();
        fixed (byte* bytes = request)
        {
            // A request is far smaller than a socket's buffer, and the last one was answered: it always fits.
            if (Libc.Write(_entries[caller].Descriptor, bytes, (nuint)request.Length) != request.Length)
            {
                throw Libc.Failure("write", "of a request");
            }
        }
    }

    private bool Receive(int caller)
    {
        byte[] answer = _answers[caller];
        fixed (byte* bytes = answer)
        {
            nint read = Libc.Read(_entries[caller].Descriptor, bytes + _filled[caller], (nuint)(answer.Length - _filled[caller]));
            if (read <= 0)
            {
                throw Libc.Failure("read", "of an answer");
            }

            _filled[caller] += (int)read;
        }

        ReadOnlySpan<byte> all = answer.AsSpan(0, _filled[caller]);
        int body = all.IndexOf("\r\n\r\n"u8) + 4;
        if (body < 4 || !IsWhole(all[..body], all[body..]))
        {
            return false;
        }

        return all[9..12].SequenceEqual("201"u8)
            ? true
            : throw new IOException("Not accepted: " + System.Text.Encoding.UTF8.GetString(all));
    }

    private static bool IsWhole(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        int at = head.IndexOf("Content-Length: "u8);
        return at < 0
            ? body.EndsWith("0\r\n\r\n"u8) // The end of chunks.
            : System.Buffers.Text.Utf8Parser.TryParse(head[(at + 16)..], out int length, out _) && body.Length >= length;
    }
}
