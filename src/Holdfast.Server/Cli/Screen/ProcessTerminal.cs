using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Server.Cli.Screen;

/// <summary>
/// The process's own three descriptors by read(2) and write(2). Not System.Console, whose first line costs 20 ms and which swallows a
/// broken pipe; not FileStream, which writes to a redirected file by position and so over what an earlier command put there.
/// </summary>
public sealed unsafe class ProcessTerminal : ITerminal
{
    private const int Input = 0;
    private const int Output = 1;
    private const int Error = 2;
    private const int UsualWidth = 120;

    /// <summary>A raw terminal does not return to the line's start by itself, which our own messages have to do then.</summary>
    private volatile bool _isRaw;

    public bool IsInputTerminal => Tty.IsTerminal(Input);

    public bool IsOutputTerminal => Tty.IsTerminal(Output);

    public int Width =>
        int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), NumberStyles.None, CultureInfo.InvariantCulture, out int columns)
        && columns > 0
            ? columns
            : Tty.Size(Output)?.Columns ?? UsualWidth;

    public (int Rows, int Columns)? Size => Tty.Size(Output);

    public void Write(ReadOnlySpan<byte> bytes)
    {
        int errno = Write(Output, bytes);
        if (errno != 0)
        {
            throw errno == Epipe
                ? new OutputClosedException()
                : new IOException($"Standard output: {Marshal.GetPInvokeErrorMessage(errno)}", errno);
        }
    }

    public void WriteError(ReadOnlySpan<byte> bytes) =>
        _ = Write(Error, _isRaw ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).ReplaceLineEndings("\r\n")) : bytes);

    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        // read(2) cannot be cancelled; a wait for readiness with an end can be left between two rounds.
        new(Task.Run(() => Read(buffer.Span, cancellationToken), cancellationToken));

    public IDisposable BeRaw() => new RawInput(Input, isRaw => _isRaw = isRaw);

    public IDisposable OnResize(Action changed) => PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => changed());

    private const int Epipe = 32;
    private const int RoundMs = 200;

    private static int Write(int fd, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            int written = 0;
            while (written < bytes.Length)
            {
                nint count = Libc.Write(fd, start + written, (nuint)(bytes.Length - written));
                if (count >= 0)
                {
                    written += (int)count;
                    continue;
                }

                switch (Libc.Errno)
                {
                    case Libc.Eintr:
                        break;
                    case Libc.Eagain: // Whoever shares this pipe with us made it non-blocking.
                        _ = Tty.WaitWritable(fd);
                        break;
                    case var errno:
                        return errno;
                }
            }
        }

        return 0;
    }

    private static int Read(Span<byte> buffer, CancellationToken cancellationToken)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                while (!Tty.WaitReadable(Input, RoundMs))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                }

                nint count = Libc.Read(Input, start, (nuint)buffer.Length);
                if (count >= 0)
                {
                    return (int)count;
                }

                if (Libc.Errno is not (Libc.Eintr or Libc.Eagain))
                {
                    throw Libc.Failure("read", "standard input");
                }
            }
        }
    }
}
