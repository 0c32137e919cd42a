namespace Holdfast.Protocol.Journal;

/// <summary>Bytes outside the managed heap, such as a ZMQ frame: written from where they lie, never copied.</summary>
public readonly unsafe struct NativePart(byte* start, long length)
{
    public byte* Start { get; } = start;
    public long Length { get; } = length;
}
