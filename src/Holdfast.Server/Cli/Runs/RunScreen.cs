using System.Text;
using Holdfast.Server.Cli.Screen;

namespace Holdfast.Server.Cli.Runs;

/// <summary>
/// Progress and output in one place. In a terminal the cell that runs has a line that counts its seconds, which gives way to output and
/// comes back; elsewhere there are plain lines only. Guarded by a lock, because the seconds come from a timer.
/// </summary>
internal sealed class RunScreen : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly byte[] EraseLine = "\r\e[2K"u8.ToArray();

    private readonly Lock _lock = new();
    private readonly CliContext _context;
    private readonly bool _isLive;
    private readonly bool _linesToError;
    private readonly ITimer? _ticker;
    private string? _running;
    private long _since;
    private bool _isStatusShown;
    private bool _isAtLineStart = true;

    public RunScreen(CliContext context, bool linesToError)
    {
        (_context, _linesToError) = (context, linesToError);
        _isLive = context.Terminal.IsOutputTerminal && context.Environment("TERM") is not (null or "" or "dumb");
        _ticker = _isLive ? context.Time.CreateTimer(_ => ShowStatus(), null, Tick, Tick) : null;
    }

    /// <summary>A cell is the one to watch now.</summary>
    public void Begin(string label)
    {
        lock (_lock)
        {
            (_running, _since) = (label, _context.Time.GetTimestamp());
            ShowStatus();
        }
    }

    public void Write(ReadOnlySpan<byte> output)
    {
        if (output.IsEmpty)
        {
            return;
        }

        lock (_lock)
        {
            EraseStatus();
            _context.Terminal.Write(output);
            _isAtLineStart = output[^1] == (byte)'\n';
            ShowStatus();
        }
    }

    /// <summary>A line that stays; the status line is over.</summary>
    public void WriteLine(string line)
    {
        lock (_lock)
        {
            EraseStatus();
            _running = null;
            byte[] bytes = Encoding.UTF8.GetBytes((_isAtLineStart || _linesToError ? "" : "\n") + line + "\n");
            if (_linesToError)
            {
                _context.Terminal.WriteError(bytes);
            }
            else
            {
                _context.Terminal.Write(bytes);
                _isAtLineStart = true;
            }
        }
    }

    public void Dispose()
    {
        _ticker?.Dispose();
        lock (_lock)
        {
            EraseStatus();
            _running = null;
        }
    }

    private void ShowStatus()
    {
        lock (_lock)
        {
            // Never in the middle of a line that a cell has begun: it would be erased with the status.
            if (!_isLive || _running is null || !_isAtLineStart)
            {
                return;
            }

            string line = $"{_running} ... {Durations.Format(_context.Time.GetElapsedTime(_since))}";
            line = line.Length < _context.Terminal.Width ? line : line[..(_context.Terminal.Width - 1)];
            WriteQuietly([.. EraseLine, .. Encoding.UTF8.GetBytes(line)]);
            _isStatusShown = true;
        }
    }

    private void EraseStatus()
    {
        if (_isStatusShown)
        {
            WriteQuietly(EraseLine);
            _isStatusShown = false;
        }
    }

    // On the timer's thread, and on the way out, there is nobody to tell that the terminal has gone; the next real line finds out.
    private void WriteQuietly(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _context.Terminal.Write(bytes);
        }
        catch (Exception error) when (error is OutputClosedException or IOException)
        {
            _running = null;
        }
    }
}
