using System.Runtime.InteropServices;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// The one buffer that both output pipes are read into, outside the heap so that reading and writing need no pinning. Its pages are the
/// system's until output touches them.
/// </summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    /// <summary>A record's largest payload, and large enough that the system calls no longer count.</summary>
    public const int Bytes = 256 * 1024;

    private byte* _start;

    public byte* Start => _start == null ? _start = (byte*)NativeMemory.Alloc(Bytes) : _start;

    /// <summary>Gives the pages back; the next use takes new ones.</summary>
    public void Dispose()
    {
        NativeMemory.Free(_start);
        _start = null;
    }
}
