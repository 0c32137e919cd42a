using Microsoft.Win32.SafeHandles;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>Reads parts one after the other, of memory or of files, as they were when it was made.</summary>
internal sealed class PartsStream(params PartsStream.Part[] parts) : Stream
{
    private int _part;
    private long _at; // In the part.

    /// <summary>Of memory, or the first bytes of a file.</summary>
    public readonly record struct Part(ReadOnlyMemory<byte> Memory, SafeFileHandle? File, long Length)
    {
        public static Part Of(ReadOnlyMemory<byte> memory) => new(memory, null, memory.Length);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => parts.Sum(static p => p.Length);

    public override long Position
    {
        get => parts.Take(_part).Sum(static p => p.Length) + _at;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        while (_part < parts.Length)
        {
            Part part = parts[_part];
            int wanted = (int)Math.Min(buffer.Length, part.Length - _at);
            if (wanted == 0 && buffer.Length > 0)
            {
                (_part, _at) = (_part + 1, 0);
                continue;
            }

            int read = wanted;
            if (part.File is { } file)
            {
                read = RandomAccess.Read(file, buffer[..wanted], _at);
                if (read == 0 && wanted > 0)
                {
                    throw new EndOfStreamException("A file has become shorter.");
                }
            }
            else
            {
                part.Memory.Span.Slice((int)_at, wanted).CopyTo(buffer);
            }

            _at += read;
            return read;
        }

        return 0;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
