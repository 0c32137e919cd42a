using System.Text;
using Holdfast.Server.Cli.Screen;

namespace Holdfast.Tests.Cli;

/// <summary>A terminal in memory. Its reader can go away after some bytes, and a test can be told of each write.</summary>
internal sealed class FakeTerminal : ITerminal
{
    private readonly Lock _lock = new();
    private readonly List<byte> _output = [];
    private readonly List<byte> _error = [];
    private readonly Queue<byte[]> _input = new();

    public bool IsInputTerminal { get; init; }

    public bool IsOutputTerminal { get; init; }

    public int Width { get; init; } = 80;

    public (int Rows, int Columns)? Size { get; set; }

    /// <summary>True from when it became raw until it was put right.</summary>
    public bool IsRaw { get; private set; }

    public int? ClosesAfterBytes { get; init; }

    public Action<string>? OnOutput { get; set; }

    public byte[] OutputBytes
    {
        get
        {
            lock (_lock)
            {
                return [.. _output];
            }
        }
    }

    public string Output => Encoding.UTF8.GetString(OutputBytes);

    public string Error
    {
        get
        {
            lock (_lock)
            {
                return Encoding.UTF8.GetString([.. _error]);
            }
        }
    }

    public void Type(string text) => _input.Enqueue(Encoding.UTF8.GetBytes(text));

    public void Write(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (_output.Count + bytes.Length > (ClosesAfterBytes ?? int.MaxValue))
            {
                throw new OutputClosedException();
            }

            _output.AddRange(bytes);
        }

        OnOutput?.Invoke(Output);
    }

    public void WriteError(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            _error.AddRange(bytes);
        }
    }

    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!_input.TryDequeue(out byte[]? next))
        {
            return ValueTask.FromResult(0);
        }

        next.CopyTo(buffer);
        return ValueTask.FromResult(next.Length);
    }

    public IDisposable BeRaw()
    {
        IsRaw = true;
        return new Undo(() => IsRaw = false);
    }

    public IDisposable OnResize(Action changed) => new Undo(static () => { });

    private sealed class Undo(Action undo) : IDisposable
    {
        public void Dispose() => undo();
    }
}
